/**
 * The batches of one stage of a search: weights on the first part of the training set, alphas and
 * validation on the second.
 *
 * Invariant: every order and augmentation follows from seed, stage and epoch, so a position is enough to
 * continue. Validation sees augmented images, as in the authors' code, where both halves share one
 * transform; its streams are its own.
 */

import { BatchLoader, searchParts } from "../datasets/loader.ts";
import type { ImageDataset } from "../datasets/types.ts";
import { RANDOM_STREAMS, type SearchConfig } from "./config.ts";

/** The loaders of one stage. */
export interface StageLoaders {
  /** First part, for weight steps. */
  readonly weights: BatchLoader;
  /** Second part, for alpha steps; iterated endlessly. */
  readonly alphas: BatchLoader;
  /** Second part, for validation. */
  readonly validation: BatchLoader;
}

/** What distinguishes the validation's stream from that of the alpha steps. */
const VALIDATION = 1;

/**
 * Makes the loaders of a stage.
 *
 * @param stage From 0.
 * @throws {RangeError} when a part has fewer images than asked for, or than a batch
 */
export function stageLoaders(
  data: ImageDataset,
  config: SearchConfig,
  stage: number,
): StageLoaders {
  const { trainShare, trainImages, normalisation } = config;
  const parts = searchParts(data.train.count, {
    share: trainShare,
    images: trainImages ?? undefined,
  });
  const common = {
    split: data.train,
    statistics: { mean: normalisation.mean ?? data.mean, std: normalisation.std ?? data.std },
    batchSize: config.batch,
    seed: config.seed,
    ...config.augmentation,
  };
  const { weightOrder, alphaOrder } = RANDOM_STREAMS;
  return {
    weights: new BatchLoader({ ...common, indices: parts.weights, stream: [weightOrder, stage] }),
    alphas: new BatchLoader({ ...common, indices: parts.alphas, stream: [alphaOrder, stage] }),
    validation: new BatchLoader({
      ...common,
      indices: parts.alphas,
      stream: [alphaOrder, stage, VALIDATION],
    }),
  };
}
