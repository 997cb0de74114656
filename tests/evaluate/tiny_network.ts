/** An evaluation network that small devices train, and batches for it. */

import type { Genotype } from "../../nn/genotypes.ts";
import { BATCH_NORM } from "../../nn/batch_norm.ts";
import type { TrainingSettings } from "../../evaluate/training_settings.ts";

/** Every primitive of a genotype, `none` and pools that are shared included. */
export const EVERY_PRIMITIVE: Genotype = {
  normal: [
    ["skip_connect", 0],
    ["sep_conv_3x3", 1],
    ["avg_pool_3x3", 0],
    ["avg_pool_3x3", 0],
    ["conv_7x1_1x7", 2],
    ["dil_conv_5x5", 3],
    ["none", 0],
    ["max_pool_3x3", 4],
  ],
  normalConcat: [4, 5],
  reduce: [
    ["skip_connect", 0],
    ["sep_conv_7x7", 1],
    ["max_pool_3x3", 0],
    ["conv_7x1_1x7", 1],
    ["sep_conv_5x5", 2],
    ["dil_conv_3x3", 0],
  ],
  reduceConcat: [2, 3, 4],
};

/** Three cells of two channels, with drop path and the auxiliary head, for images of 32x32. */
export function tinySettings(changes: Partial<TrainingSettings> = {}): TrainingSettings {
  return {
    seed: 5,
    genotype: EVERY_PRIMITIVE,
    layers: 3,
    channels: 2,
    classes: 5,
    epochs: 4,
    auxiliary: { enabled: true, weight: 0.4 },
    dropPath: 0.3,
    optimizer: {
      learningRate: 0.025,
      minimumLearningRate: 0,
      momentum: 0.9,
      weightDecay: 3e-4,
      clip: 5,
    },
    batchNorm: BATCH_NORM,
    labelSmoothing: 0,
    ...changes,
  };
}
