/** The limits of every number of a search, checked before anything is built or loaded. */

import { PRIMITIVES } from "../nn/primitives.ts";
import type { SearchConfig } from "./config.ts";

/** What a number may be: at least `from` or more than `above`, at most `to` or less than `below`. */
interface Limits {
  from?: number;
  above?: number;
  to?: number;
  below?: number;
  whole?: "whole" | "even";
}

type Check = [option: string, value: number, limits: Limits];

const RATE: Limits = { from: 0, below: 1 };
const POSITIVE_INTEGER: Limits = { from: 1, whole: "whole" };
const NATURAL: Limits = { from: 0, whole: "whole" };
const NOT_NEGATIVE: Limits = { from: 0 };
const POSITIVE: Limits = { above: 0 };

/** Fewest cells that hold both kinds: with three, one normal cell and two that reduce. */
const LEAST_LAYERS = 3;

/**
 * Checks a config.
 *
 * @param data.images Images in the smaller part of the training set, once it is known.
 * @throws {RangeError} naming the first option that is out of its range
 */
export function checkSearchConfig(config: SearchConfig, data: { images?: number } = {}): void {
  const { epochs, batch, trainImages, stages, weights, alphas, batchNorm, augmentation } = config;
  const { mean, std } = config.normalisation;
  const perPart = Math.min(trainImages ?? Infinity, data.images ?? Infinity);
  const checks: Check[] = [
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
    ["weights.learningRate", weights.learningRate, NOT_NEGATIVE],
    ["weights.minimumLearningRate", weights.minimumLearningRate, {
      from: 0,
      to: weights.learningRate,
    }],
    ["weights.momentum", weights.momentum, RATE],
    ["weights.weightDecay", weights.weightDecay, NOT_NEGATIVE],
    ["weights.clip", weights.clip, NOT_NEGATIVE],
    ["alphas.initialDeviation", alphas.initialDeviation, NOT_NEGATIVE],
    ["alphas.learningRate", alphas.learningRate, NOT_NEGATIVE],
    ["alphas.beta1", alphas.beta1, RATE],
    ["alphas.beta2", alphas.beta2, RATE],
    ["alphas.epsilon", alphas.epsilon, NOT_NEGATIVE],
    ["alphas.weightDecay", alphas.weightDecay, NOT_NEGATIVE],
    ["alphas.clip", alphas.clip, NOT_NEGATIVE],
    ["batchNorm.epsilon", batchNorm.epsilon, POSITIVE],
    ["batchNorm.momentum", batchNorm.momentum, { from: 0, to: 1 }],
    ...(mean ?? []).map((value): Check => ["normalisation.mean", value, { from: 0, to: 1 }]),
    ...(std ?? []).map((value): Check => ["normalisation.std", value, POSITIVE]),
    ["augmentation.cropPadding", augmentation.cropPadding, { ...NATURAL, to: 32 }],
    ["augmentation.flipProbability", augmentation.flipProbability, { from: 0, to: 1 }],
    ["augmentation.cutout", augmentation.cutout, NATURAL],
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
  for (const [option, value, limits] of checks) checkNumber(option, value, limits);
  const [last] = stages.slice(-1);
  if (kept !== 1) {
    throw new RangeError(
      `Cannot search with drop ${last.drop} of stage ${stages.length}: want ` +
        `${last.drop + kept - 1}, so that one primitive stays on each edge`,
    );
  }
}

function checkNumber(option: string, value: number, limits: Limits): void {
  const { from = -Infinity, above = -Infinity, to = Infinity, below = Infinity, whole } = limits;
  const fits = value >= from && value > above && value <= to && value < below &&
    (!whole || Number.isSafeInteger(value)) && (whole !== "even" || value % 2 === 0);
  if (fits) return;
  const kind = whole === "even" ? "an even integer" : whole ? "an integer" : "a number";
  const lower = limits.from === undefined ? `above ${above}` : `from ${from}`;
  const upper = below < Infinity ? ` to below ${below}` : to < Infinity ? ` to ${to}` : "";
  throw new RangeError(
    `Cannot search with ${option} ${value}: want ${kind} ${lower}${upper}`,
  );
}
