/** What one stage of a search trains, taken from its config. */

import type { AlphaOptimizerConfig, SearchConfig, WeightOptimizerConfig } from "./config.ts";
import type { KeptPrimitives } from "./edge_weights.ts";

/** All that a stage's training depends on. */
export interface StageSettings {
  layers: number;
  channels: number;
  classes: number;
  normal: KeptPrimitives;
  reduce: KeptPrimitives;
  /** Initial rate r of the skip dropout. */
  skipDropout: number;
  epochs: number;
  alphaFromEpoch: number;
  weights: WeightOptimizerConfig;
  alphas: AlphaOptimizerConfig;
  seed: number;
  /** Stage from 0; names its random streams. */
  stage: number;
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
  const { epochs, alphaFromEpoch, weights, alphas, seed } = config;
  return {
    ...which,
    layers: own.layers,
    channels: config.channels + own.addedChannels,
    skipDropout: own.skipDropout,
    epochs,
    alphaFromEpoch,
    weights,
    alphas,
    seed,
  };
}
