/**
 * Where a search stands: everything that a checkpoint must hold besides the stage's tensors.
 *
 * Invariants: the state is plain JSON; a position is always between two steps; `kept` is what the current
 * stage was built from. Stages, epochs and steps count from 0 here, and from 1 in what people read.
 */

import type { LoaderPosition } from "../datasets/batch_source.ts";
import { noSums, type Report, type Sums } from "../nn/metrics.ts";
import { RunError } from "../nn/run_files.ts";
import type { LineLengths } from "../nn/run_folder.ts";
import { allPrimitives, type KeptPrimitives } from "./edge_weights.ts";

/** The parts of an epoch: its steps, then, in the last epochs, its validation. */
export type Phase = "train" | "validate";

/** The state of a search between two steps. */
export interface SearchState {
  /** The stage; the number of stages once the search has ended. */
  stage: number;
  /** Within the stage. */
  epoch: number;
  /** Within the epoch. */
  phase: Phase;
  /** Steps, or validation batches, of this phase already done. */
  step: number;
  /** Where the endless iteration over the second half stands. */
  alphaPosition: LoaderPosition;
  /** The primitives that each edge has in this stage. */
  kept: { normal: KeptPrimitives; reduce: KeptPrimitives };
  /** This stage's latest validation. */
  validation?: Report;
  /** Of this epoch's reports. */
  sums: { weights: Sums; alphas: Sums; evaluation: Sums };
  /** Seconds spent in earlier processes and this one; shown, never compared. */
  seconds: number;
}

/** What a checkpoint's JSON holds. */
export interface SavedState {
  /** Where the search stands. */
  readonly state: SearchState;
  /** How long the run's result files were. */
  readonly lengths: LineLengths;
  /** The trainer's counters. */
  readonly counters: Record<string, number>;
}

/** The beginning of a stage. */
export function beginningOfStage(stage: number, kept: SearchState["kept"]): SearchState {
  return {
    stage,
    kept,
    epoch: 0,
    phase: "train",
    step: 0,
    alphaPosition: { epoch: 0, batch: 0 },
    sums: { weights: noSums(), alphas: noSums(), evaluation: noSums() },
    seconds: 0,
  };
}

/** The beginning of a search. */
export function beginningOfSearch(): SearchState {
  return beginningOfStage(0, { normal: allPrimitives(), reduce: allPrimitives() });
}

/** Moves to the beginning of another phase or epoch. */
export function moveTo(state: SearchState, epoch: number, phase: Phase): void {
  Object.assign(state, { epoch, phase, step: 0 });
  if (phase !== "train") return;
  state.sums = { weights: noSums(), alphas: noSums(), evaluation: noSums() };
}

/**
 * Reads the JSON of a checkpoint whose digest agreed.
 *
 * @throws {RunError} when it is not the state of a search
 */
export function savedState(value: unknown, folder: string): SavedState {
  const saved = value as SavedState;
  if (!Number.isInteger(saved?.state?.stage) || !saved.state.kept || !saved.lengths) {
    throw new RunError(`Cannot resume ${folder}: its checkpoint is not one of a search`);
  }
  return saved;
}
