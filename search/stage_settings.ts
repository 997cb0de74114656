/** What one stage of a search trains, taken from its config. */

import type { BatchNormConfig } from "../nn/batch_norm.ts";
import type { MemoryMode } from "../nn/recompute.ts";
import type { NetworkKind } from "../nn/stem.ts";
import type { SgdConfig } from "../nn/training_config.ts";
import type { AlphaOptimizerConfig, SearchConfig } from "./config.ts";
import type { KeptPrimitives } from "./edge_weights.ts";

/** All that a stage's training depends on. */
export interface StageSettings {
  /** Which stem the supernet has; default "cifar". */
  network?: NetworkKind;
  /** Cells. */
  layers: number;
  /** Channels of the first cells' states. */
  channels: number;
  /** Classes of the data set. */
  classes: number;
  /** Primitives kept on the edges of normal cells. */
  normal: KeptPrimitives;
  /** Primitives kept on the edges of reduction cells. */
  reduce: KeptPrimitives;
  /** Initial rate r of the skip dropout. */
  skipDropout: number;
  /** Its decay once alphas are trained. */
  skipDropoutDecay: number;
  /** How many epochs. */
  epochs: number;
  /** First epoch that trains alphas. */
  alphaFromEpoch: number;
  /** How weights are trained. */
  weights: SgdConfig;
  /** How alphas are trained. */
  alphas: AlphaOptimizerConfig;
  /** Of every batch norm. */
  batchNorm: BatchNormConfig;
  /** Of the whole run. */
  seed: number;
  /** Stage from 0; names its random streams. */
  stage: number;
  /** Whether cells are computed twice instead of kept, with the same results; default "normal". */
  memory?: MemoryMode;
}

/**
 * The settings of one stage of a config.
 *
 * @param which.stage From 0.
 * @param which.normal Primitives kept on the edges of the normal cells; `reduce` likewise.
 * @throws {RangeError} If the config has no such stage.
 */
export function stageSettings(
  config: SearchConfig,
  which: { stage: number; classes: number; normal: KeptPrimitives; reduce: KeptPrimitives },
): StageSettings {
  const own = config.stages[which.stage];
  if (!own) {
    throw new RangeError(
      `Cannot train stage ${which.stage}: the search has ${config.stages.length}`,
    );
  }
  const { epochs, alphaFromEpoch, skipDropoutDecay, weights, alphas, batchNorm, seed } = config;
  return {
    ...which,
    layers: own.layers,
    channels: config.channels + own.addedChannels,
    skipDropout: own.skipDropout,
    skipDropoutDecay,
    epochs,
    alphaFromEpoch,
    weights,
    alphas,
    batchNorm,
    seed,
  };
}
