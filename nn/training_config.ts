/**
 * The parts of a config that search and evaluation have in common, their numbers in CIFAR's published
 * training, and their limits.
 *
 * Invariant: a config is plain JSON.
 */

import { suggest } from "../backends/suggest.ts";
import type { BatchNormConfig } from "./batch_norm.ts";
import { type LimitCheck, NATURAL, NOT_NEGATIVE, POSITIVE, RATE, SHARE } from "./limits.ts";

/** SGD of a network's weights. */
export interface SgdConfig {
  /** At epoch 0, but for a warm-up; a schedule takes it to the minimum. */
  learningRate: number;
  /** Where the schedule ends. */
  minimumLearningRate: number;
  /** Share of the last step in the next, in [0, 1). */
  momentum: number;
  /** Added to the gradient, times the weight. */
  weightDecay: number;
  /** Largest global norm of the gradients. */
  clip: number;
}

/** How training images are changed. */
export interface AugmentationConfig {
  /** Zero padding of the random crop in pixels. */
  cropPadding: number;
  /** Probability of a mirrored image. */
  flipProbability: number;
  /** Side of the square cut out in pixels; 0 for none. */
  cutout: number;
}

/** What pixel values in 0..1 are normalised with, red first; null for the data set's own. */
export interface NormalisationConfig {
  /** Subtracted. */
  mean: [number, number, number] | null;
  /** Divided by. */
  std: [number, number, number] | null;
}

/** What both kinds of config have. */
export interface CommonConfig {
  /** Of every batch norm. */
  batchNorm: BatchNormConfig;
  /** How images become the network's input. */
  normalisation: NormalisationConfig;
  /** How training images are changed. */
  augmentation: AugmentationConfig;
}

/** SGD as P-DARTS trains, arXiv 1904.12760, section 4.2; its authors' code for the clip. */
export const SGD: Readonly<SgdConfig> = {
  learningRate: 0.025,
  minimumLearningRate: 0,
  momentum: 0.9,
  weightDecay: 3e-4,
  clip: 5,
};

/** Limits of an {@linkcode SgdConfig} at a place of its config. */
export function sgdLimits(place: string, sgd: SgdConfig): LimitCheck[] {
  const { learningRate, minimumLearningRate } = sgd;
  return [
    [`${place}.learningRate`, learningRate, NOT_NEGATIVE],
    [`${place}.minimumLearningRate`, minimumLearningRate, { from: 0, to: learningRate }],
    [`${place}.momentum`, sgd.momentum, RATE],
    [`${place}.weightDecay`, sgd.weightDecay, NOT_NEGATIVE],
    [`${place}.clip`, sgd.clip, NOT_NEGATIVE],
  ];
}

/** Limits of a {@linkcode CommonConfig}. */
export function commonLimits(config: CommonConfig): LimitCheck[] {
  const { batchNorm, normalisation: { mean, std }, augmentation } = config;
  return [
    ["batchNorm.epsilon", batchNorm.epsilon, POSITIVE],
    ["batchNorm.momentum", batchNorm.momentum, SHARE],
    ...(mean ?? []).map((value): LimitCheck => ["normalisation.mean", value, SHARE]),
    ...(std ?? []).map((value): LimitCheck => ["normalisation.std", value, POSITIVE]),
    ["augmentation.cropPadding", augmentation.cropPadding, { ...NATURAL, to: 32 }],
    ["augmentation.flipProbability", augmentation.flipProbability, SHARE],
    ["augmentation.cutout", augmentation.cutout, NATURAL],
  ];
}

/** The entries that have a value. */
export function given<T extends object>(changes: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

/** Changes to a config: its parts are changed number by number, all else as a whole. */
export type Changes<Config, Part extends keyof Config> =
  & Partial<Omit<Config, Part>>
  & { [Key in Part]?: Partial<Config[Key]> };

/** Makes changes in a config; an undefined one leaves what there is. */
export function change<Config extends object>(
  config: Config,
  changes: object,
  parts: readonly (keyof Config)[],
): void {
  for (const [key, value] of Object.entries(given(changes))) {
    const part = parts.find((name) => name === key);
    if (part !== undefined) Object.assign(config[part] as object, given(value as object));
    else Object.assign(config, { [key]: value });
  }
}

/**
 * One of a few words.
 *
 * @throws {RangeError} naming the option, with the word that was probably meant
 */
export function oneOf<T extends string>(
  known: readonly T[],
  { option, value }: { option: string; value: string },
): T {
  const found = known.find((name) => name === value);
  if (found !== undefined) return found;
  throw new RangeError(
    `Unknown ${option} "${value}": want ${known.join(", ")}${suggest(value, known)}`,
  );
}
