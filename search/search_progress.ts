/**
 * What a search shows while it runs, and the model behind its time left: a step costs in proportion to
 * cells, primitives per edge and channels, twice as much where an alpha step precedes it, and a
 * validation batch a third.
 */

import type { ProgressLine } from "../nn/progress.ts";
import { RunProgress } from "../nn/run_progress.ts";
import { PRIMITIVES } from "../nn/primitives.ts";
import type { SearchConfig } from "./config.ts";
import type { SearchState } from "./search_state.ts";

/** A validation batch's work as a share of a weight step's. */
const VALIDATION_SHARE = 1 / 3;

/** Batches per epoch. */
export interface EpochBatches {
  /** Of an epoch of training: steps. */
  readonly train: number;
  /** Of a validation. */
  readonly validate: number;
}

/** What {@linkcode SearchProgress} needs. */
export interface SearchProgressOptions {
  /** The search's numbers. */
  readonly config: SearchConfig;
  /** How many steps there are. */
  readonly batches: EpochBatches;
  /** Where it is shown. */
  readonly line: ProgressLine;
}

/** The display of a running search. */
export class SearchProgress extends RunProgress<SearchState> {
  /** Shows nothing before the first step. */
  constructor({ config, batches, line }: SearchProgressOptions) {
    super({
      place: (state) => placeOf(state, config, batches),
      stepWork: (state) => stepWork(state, config),
      workLeft: (state) => workLeft(state, config, batches),
    }, line);
  }
}

function placeOf(
  { stage, epoch, phase, step }: SearchState,
  { stages, epochs }: SearchConfig,
  batches: EpochBatches,
): string[] {
  return [
    `stage ${stage + 1}/${stages.length}`,
    `epoch ${epoch + 1}/${epochs}`,
    phase === "validate"
      ? `validation ${step}/${batches.validate}`
      : `step ${step}/${batches.train}`,
  ];
}

/** Passes of a training step: one, or two with an alpha step. */
function passes(epoch: number, { alphaFromEpoch }: SearchConfig): number {
  return epoch >= alphaFromEpoch ? 2 : 1;
}

/** Relative work of a pass. */
function passWork(stage: number, { stages, channels }: SearchConfig): number {
  const dropped = stages.slice(0, stage).reduce((sum, { drop }) => sum + drop, 0);
  const { layers, addedChannels } = stages[stage];
  return layers * (PRIMITIVES.length - dropped) * (channels + addedChannels);
}

function stepWork({ stage, epoch, phase }: SearchState, config: SearchConfig): number {
  const share = phase === "validate" ? VALIDATION_SHARE : passes(epoch, config);
  return share * passWork(stage, config);
}

/** Passes of an epoch, in weight steps. */
function epochPasses(epoch: number, config: SearchConfig, batches: EpochBatches): number {
  const validates = epoch >= config.epochs - config.validationEpochs;
  return batches.train * passes(epoch, config) +
    (validates ? batches.validate * VALIDATION_SHARE : 0);
}

function workLeft(
  { stage, epoch, phase, step }: SearchState,
  config: SearchConfig,
  batches: EpochBatches,
): number {
  let work = 0;
  for (let later = stage; later < config.stages.length; later++) {
    for (let e = later === stage ? epoch : 0; e < config.epochs; e++) {
      work += epochPasses(e, config, batches) * passWork(later, config);
    }
  }
  const steps = phase === "validate" ? batches.train : step;
  const done = steps * passes(epoch, config) + (phase === "validate" ? step * VALIDATION_SHARE : 0);
  return work - done * passWork(stage, config);
}
