/**
 * The batches of one stage of a search: weights on the first part of the training set, alphas and
 * validation on the second.
 *
 * Invariant: every order and augmentation follows from seed, stage and epoch, so a position is enough to
 * continue. Validation sees augmented images, as in the authors' code, where both halves share one
 * transform; its streams are its own.
 */

import type { BatchSource } from "../datasets/batch_source.ts";
import type { BatchSources } from "../datasets/batch_sources.ts";
import { searchParts } from "../datasets/loader.ts";
import { RANDOM_STREAMS, type SearchConfig } from "./config.ts";

/** The sources of one stage. */
export interface StageLoaders {
  /** First part, for weight steps. */
  readonly weights: BatchSource;
  /** Second part, for alpha steps; iterated endlessly. */
  readonly alphas: BatchSource;
  /** Second part, for validation. */
  readonly validation: BatchSource;
}

/** What distinguishes the validation's stream from that of the alpha steps. */
const VALIDATION = 1;

/**
 * Opens the sources of a stage, which need no more than `sources` does.
 *
 * @param stage From 0.
 * @throws {RangeError} when a part has fewer images than asked for, or than a batch
 */
export function stageLoaders(
  sources: BatchSources,
  config: SearchConfig,
  stage: number,
): StageLoaders {
  const { data } = sources, { trainShare, trainImages, normalisation, augmentation } = config;
  const parts = searchParts(data.train.count, {
    share: trainShare,
    images: trainImages ?? undefined,
  });
  const common = {
    statistics: { mean: normalisation.mean ?? data.mean, std: normalisation.std ?? data.std },
    batchSize: config.batch,
    seed: config.seed,
    augmentation,
  };
  const { weightOrder, alphaOrder } = RANDOM_STREAMS;
  return {
    weights: sources.open("train", {
      ...common,
      indices: parts.weights,
      stream: [weightOrder, stage],
    }),
    alphas: sources.open("train", {
      ...common,
      indices: parts.alphas,
      stream: [alphaOrder, stage],
    }),
    validation: sources.open("train", {
      ...common,
      indices: parts.alphas,
      stream: [alphaOrder, stage, VALIDATION],
    }),
  };
}
