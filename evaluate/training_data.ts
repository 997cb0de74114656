/**
 * The batches of a training: the training set, augmented and in a fresh order each epoch, and the test
 * set as it is.
 *
 * Invariant: every order and augmentation follows from seed and epoch, so a position is enough to continue.
 */

import { BatchLoader } from "../datasets/loader.ts";
import type { ImageDataset } from "../datasets/types.ts";
import type { TrainingConfig } from "./config.ts";
import { RANDOM_STREAMS } from "./training_settings.ts";

/** The loaders of a training. */
export interface TrainingLoaders {
  readonly training: BatchLoader;
  readonly test: BatchLoader;
}

/** Makes the loaders. */
export function trainingLoaders(data: ImageDataset, config: TrainingConfig): TrainingLoaders {
  const { trainImages, testImages, normalisation, augmentation, seed } = config;
  const statistics = { mean: normalisation.mean ?? data.mean, std: normalisation.std ?? data.std };
  const common = { statistics, batchSize: config.batch };
  return {
    training: new BatchLoader({
      ...common,
      ...augmentation,
      seed,
      stream: [RANDOM_STREAMS.order],
      split: data.train,
      indices: { first: 0, end: trainImages ?? data.train.count },
    }),
    test: testLoader(data, { ...common, images: testImages ?? data.test.count }),
  };
}

/** The test set's first images in their order, normalised and otherwise as they are. */
export function testLoader(
  data: ImageDataset,
  options: {
    statistics: { mean: readonly number[]; std: readonly number[] };
    batchSize: number;
    images: number;
  },
): BatchLoader {
  const { statistics, batchSize, images } = options;
  return new BatchLoader({
    split: data.test,
    statistics,
    batchSize: Math.min(batchSize, images),
    indices: { first: 0, end: images },
    augment: false,
    shuffle: false,
  });
}
