/** The limits of every number of a training, checked before anything is built or loaded. */

import { checkLimits, NATURAL, NOT_NEGATIVE, POSITIVE_INTEGER, RATE } from "../nn/limits.ts";
import { commonLimits, sgdLimits } from "../nn/training_config.ts";
import type { TrainingConfig } from "./config.ts";

/** Fewest cells that hold both kinds: with three, one normal cell and two that reduce. */
const LEAST_LAYERS = 3;

/** Images of each part of the data, once they are known. */
export interface ImageCounts {
  readonly train?: number;
  readonly test?: number;
}

/** Sides that leave the auxiliary head the 2x2 pixels behind its pool: 8x8 or 7x7 in front of it. */
const AUXILIARY_SIDE = { cifar: 29, imagenet: 193 } as const;

/**
 * Checks a config.
 *
 * @throws {RangeError} naming the first value that is out of its range
 */
export function checkTrainingConfig(config: TrainingConfig, images: ImageCounts = {}): void {
  const { trainImages, testImages } = config;
  const most = Math.min(trainImages ?? Infinity, images.train ?? Infinity);
  checkLimits("train", [
    ["seed", config.seed, NATURAL],
    ["epochs", config.epochs, POSITIVE_INTEGER],
    ["trainImages", trainImages ?? 1, { ...POSITIVE_INTEGER, to: images.train }],
    ["testImages", testImages ?? 1, { ...POSITIVE_INTEGER, to: images.test }],
    ["batch", config.batch, { ...POSITIVE_INTEGER, to: most === Infinity ? undefined : most }],
    ["testEvery", config.testEvery, POSITIVE_INTEGER],
    ["layers", config.layers, { from: LEAST_LAYERS, whole: "whole" }],
    ["channels", config.channels, { from: 2, whole: "even" }],
    ["auxiliary.weight", config.auxiliary.weight, NOT_NEGATIVE],
    ["dropPath", config.dropPath, RATE],
    ["labelSmoothing", config.labelSmoothing, RATE],
    ...sgdLimits("optimizer", config.optimizer),
    ["warmupEpochs", config.warmupEpochs, NATURAL],
    ...commonLimits(config),
  ]);
  const { folder, auxiliary, network } = config, least = AUXILIARY_SIDE[network];
  if (folder && auxiliary.enabled && folder.imageSize < least) {
    throw new RangeError(
      `Cannot train with folder.imageSize ${folder.imageSize}: want ${least} or more for the ` +
        "auxiliary head, or --auxiliary=off",
    );
  }
}
