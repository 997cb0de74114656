/**
 * Where a training stands: everything that a checkpoint must hold besides the trainer's tensors.
 *
 * Invariants: the state is plain JSON; a position is always between two steps. Epochs and steps count from
 * 0 here, and from 1 in what people read.
 */

import { noSums, type Report, type Sums } from "../nn/metrics.ts";
import { RunError } from "../nn/run_files.ts";
import type { LineLengths } from "../nn/run_folder.ts";

/** The parts of an epoch: its steps, then its test. */
export type Phase = "train" | "test";

/** A test after an epoch. */
export interface TestReport extends Report {
  /** From 0. */
  epoch: number;
}

/** The state of a training between two steps. */
export interface TrainingState {
  /** The number of epochs once the training has ended. */
  epoch: number;
  /** Within the epoch. */
  phase: Phase;
  /** Steps, or test batches, of this phase already done. */
  step: number;
  /** Of this epoch's reports. */
  sums: { training: Sums; evaluation: Sums };
  /** The test of the highest top-1, the earliest of equals. */
  best?: TestReport;
  /** The latest test. */
  last?: TestReport;
  /** Seconds spent in earlier processes and this one; shown, never compared. */
  seconds: number;
}

/** What a checkpoint's JSON holds. */
export interface SavedState {
  /** Where the training stands. */
  readonly state: TrainingState;
  /** How long the run's result files were. */
  readonly lengths: LineLengths;
  /** The trainer's counters. */
  readonly counters: Record<string, number>;
  /** The names of the classes; absent in checkpoints of earlier versions. */
  readonly classNames?: readonly string[];
}

/** The beginning of a training. */
export function beginningOfTraining(): TrainingState {
  return {
    epoch: 0,
    phase: "train",
    step: 0,
    sums: { training: noSums(), evaluation: noSums() },
    seconds: 0,
  };
}

/** Moves to the beginning of another phase or epoch. */
export function moveTo(state: TrainingState, epoch: number, phase: Phase): void {
  Object.assign(state, { epoch, phase, step: 0 });
  if (phase === "train") state.sums = { training: noSums(), evaluation: noSums() };
}

/**
 * Reads the JSON of a checkpoint whose digest agreed.
 *
 * @throws {RunError} when it is not the state of a training
 */
export function savedState(value: unknown, folder: string): SavedState {
  const saved = value as SavedState;
  const { epoch, phase } = saved?.state ?? {};
  if (!Number.isInteger(epoch) || !["train", "test"].includes(phase) || !saved.lengths) {
    throw new RunError(`Cannot resume ${folder}: its checkpoint is not one of a training`);
  }
  return saved;
}
