/** The limits of every number of a search, checked before anything is built or loaded. */

import {
  checkLimits,
  type LimitCheck,
  NATURAL,
  NOT_NEGATIVE,
  POSITIVE_INTEGER,
  RATE,
} from "../nn/limits.ts";
import { PRIMITIVES } from "../nn/primitives.ts";
import { commonLimits, sgdLimits } from "../nn/training_config.ts";
import type { SearchConfig } from "./config.ts";

/** Fewest cells that hold both kinds: with three, one normal cell and two that reduce. */
const LEAST_LAYERS = 3;

/**
 * Checks a config.
 *
 * @param data.images Images in the smaller part of the training set, once it is known.
 * @throws {RangeError} naming the first option that is out of its range
 */
export function checkSearchConfig(config: SearchConfig, data: { images?: number } = {}): void {
  const { epochs, batch, trainImages, stages, weights, alphas } = config;
  const perPart = Math.min(trainImages ?? Infinity, data.images ?? Infinity);
  const checks: LimitCheck[] = [
    ["seed", config.seed, NATURAL],
    ["epochs", epochs, POSITIVE_INTEGER],
    ["alphaFromEpoch", config.alphaFromEpoch, NATURAL],
    ["validationEpochs", config.validationEpochs, NATURAL],
    ["channels", config.channels, { from: 2, whole: "even" }],
    ["trainImages", trainImages ?? 1, { ...POSITIVE_INTEGER, to: data.images }],
    ["batch", batch, { ...POSITIVE_INTEGER, to: perPart === Infinity ? undefined : perPart }],
    ["trainShare", config.trainShare, { above: 0, below: 1 }],
    ["skipDropoutDecay", config.skipDropoutDecay, NOT_NEGATIVE],
    ["maxSkips", config.maxSkips, { ...NATURAL, to: 8 }],
    ...sgdLimits("weights", weights),
    ["alphas.initialDeviation", alphas.initialDeviation, NOT_NEGATIVE],
    ["alphas.learningRate", alphas.learningRate, NOT_NEGATIVE],
    ["alphas.beta1", alphas.beta1, RATE],
    ["alphas.beta2", alphas.beta2, RATE],
    ["alphas.epsilon", alphas.epsilon, NOT_NEGATIVE],
    ["alphas.weightDecay", alphas.weightDecay, NOT_NEGATIVE],
    ["alphas.clip", alphas.clip, NOT_NEGATIVE],
    ...commonLimits(config),
  ];
  let kept: number = PRIMITIVES.length;
  stages.forEach((stage, index) => {
    const option = (name: string) => `${name} of stage ${index + 1}`;
    checks.push(
      [option("layers"), stage.layers, { from: LEAST_LAYERS, whole: "whole" }],
      [option("addedChannels"), stage.addedChannels, { from: 0, whole: "even" }],
      [option("skipDropout"), stage.skipDropout, RATE],
      [option("drop"), stage.drop, { from: 0, to: kept - 1, whole: "whole" }],
    );
    kept -= stage.drop;
  });
  checkLimits("search", checks);
  const [last] = stages.slice(-1);
  if (kept !== 1) {
    throw new RangeError(
      `Cannot search with drop ${last.drop} of stage ${stages.length}: want ` +
        `${last.drop + kept - 1}, so that one primitive stays on each edge`,
    );
  }
}
