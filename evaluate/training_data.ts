/**
 * The batches of a training: the training set, augmented and in a fresh order each epoch, and the test
 * set as it is.
 *
 * Invariant: every order and augmentation follows from seed and epoch, so a position is enough to continue.
 */

import type { BatchSource } from "../datasets/batch_source.ts";
import type { BatchSources } from "../datasets/batch_sources.ts";
import type { TrainingConfig } from "./config.ts";
import { RANDOM_STREAMS } from "./training_settings.ts";

/** The sources of a training. */
export interface TrainingLoaders {
  readonly training: BatchSource;
  readonly test: BatchSource;
}

/** Opens the sources, which need no more than `sources` does. */
export function trainingLoaders(sources: BatchSources, config: TrainingConfig): TrainingLoaders {
  const { data } = sources;
  const { trainImages, testImages, normalisation, augmentation, seed } = config;
  const statistics = { mean: normalisation.mean ?? data.mean, std: normalisation.std ?? data.std };
  const common = { statistics, batchSize: config.batch };
  return {
    training: sources.open("train", {
      ...common,
      augmentation,
      seed,
      stream: [RANDOM_STREAMS.order],
      indices: { first: 0, end: trainImages ?? data.train.count },
    }),
    test: testLoader(sources, { ...common, images: testImages ?? data.test.count }),
  };
}

/** The test set's first images in their order, normalised and without random transforms. */
export function testLoader(
  sources: BatchSources,
  options: {
    statistics: { mean: readonly number[]; std: readonly number[] };
    batchSize: number;
    images: number;
  },
): BatchSource {
  const { statistics, batchSize, images } = options;
  return sources.open("test", {
    statistics,
    batchSize: Math.min(batchSize, images),
    indices: { first: 0, end: images },
    augment: false,
    shuffle: false,
  });
}
