/**
 * Batches of images in memory in a seeded random order, with a position that can be saved and restored.
 *
 * Invariant: a loader keeps no random state, and any batch can be made again by its position.
 */

import {
  type AugmentationStrength,
  augmentBatch,
  checkStrength,
  IMAGE_SIZE,
  IMAGE_VALUES,
  normalisationTable,
} from "./augmentation.ts";
import type { Batch, BatchIteration, BatchSource, LoaderPosition } from "./batch_source.ts";
import { checkWhole, EpochOrder, type EpochOrderOptions, type IndexRange } from "./epoch_order.ts";
import type { Split, Statistics } from "./types.ts";

/** Options of {@linkcode BatchLoader}. */
export interface BatchLoaderOptions extends AugmentationStrength, EpochOrderOptions {
  /** Where the images are. */
  split: Split;
  /** Mean and deviation to normalise with. */
  statistics: Statistics;
  /** Random crop, flip and cutout; default true. */
  augment?: boolean;
}

/**
 * Makes batches of a split, or of a part of it.
 *
 * @example
 * ```ts ignore
 * const loader = new BatchLoader({ split: data.train, statistics: data, batchSize: 96, seed: 1 });
 * for (const { images, labels } of loader.epoch(0)) step(images, labels);
 * ```
 */
export class BatchLoader implements BatchSource {
  /** Images per batch, but for the last. */
  readonly batchSize: number;
  /** Images per epoch. */
  readonly count: number;
  /** Batches per epoch, the last partial one counted. */
  readonly batchesPerEpoch: number;
  /** Height and width of the images in pixels. */
  readonly imageSize: number = IMAGE_SIZE;

  readonly #options: BatchLoaderOptions;
  readonly #order: EpochOrder;
  readonly #table: Float32Array;

  /**
   * Checks the options; no batch is made yet.
   *
   * @throws {RangeError} If the batch size is not an integer from 1 to the number of images, or an index
   *   is outside the split.
   */
  constructor(options: BatchLoaderOptions) {
    this.#order = new EpochOrder(options.split.count, options);
    checkStrength(options);
    this.#options = options;
    this.batchSize = this.#order.batchSize;
    this.count = this.#order.count;
    this.batchesPerEpoch = this.#order.batchesPerEpoch;
    this.#table = normalisationTable(options.statistics);
  }

  /**
   * The images of an epoch in the order they are visited, as indices into the split.
   *
   * @throws {RangeError} If the epoch is negative or not an integer.
   */
  order(epoch: number): Uint32Array {
    return this.#order.order(epoch);
  }

  /**
   * The batches of an epoch.
   *
   * @param epoch Names the order and the augmentation.
   * @param start Number of batches to leave out at the beginning; default 0.
   * @throws {RangeError} If the epoch or start is negative or not an integer.
   */
  *epoch(epoch: number, start = 0): Generator<Batch, void, void> {
    checkWhole("a first batch", start);
    const order = this.order(epoch);
    for (let batch = start; batch < this.batchesPerEpoch; batch++) {
      yield this.#batch(order, { epoch, batch });
    }
  }

  /**
   * An endless iteration that begins the next epoch, in a fresh order, when one ends.
   *
   * @throws {RangeError} If the position is not one of whole, non-negative numbers within an epoch.
   */
  cycle(position: LoaderPosition = { epoch: 0, batch: 0 }): BatchCycle {
    this.#order.checkPosition(position);
    return new BatchCycle(this, position);
  }

  #batch(order: Uint32Array, { epoch, batch }: LoaderPosition): Batch {
    const { split, augment = true, cropPadding, flipProbability, cutout } = this.#options;
    const position = batch * this.batchSize;
    const indices = order.subarray(position, position + this.batchSize);
    const size = indices.length;
    const images = new Float32Array(size * IMAGE_VALUES);
    augmentBatch(split.images, images, {
      table: this.#table,
      indices,
      random: augment ? this.#order.augmentation(epoch) : undefined,
      position,
      cropPadding,
      flipProbability,
      cutout,
    });
    const labels = Int32Array.from(indices, (index) => split.labels[index]);
    return { images, labels, size, imageSize: IMAGE_SIZE };
  }
}

/** An endless iteration over a loader; made by {@linkcode BatchLoader.cycle}. */
export class BatchCycle implements BatchIteration {
  readonly #loader: BatchLoader;
  #position: LoaderPosition;
  #batches: Generator<Batch, void, void> | undefined;

  /**
   * Begins at a position.
   *
   * @param loader Makes the batches.
   * @param position Where to begin; a saved {@linkcode BatchCycle.position} continues exactly there.
   */
  constructor(loader: BatchLoader, position: LoaderPosition) {
    this.#loader = loader;
    this.#position = { ...position };
  }

  /** The next batch. */
  next(): Batch {
    if (this.#position.batch === this.#loader.batchesPerEpoch) {
      this.#position = { epoch: this.#position.epoch + 1, batch: 0 };
      this.#batches = undefined;
    }
    this.#batches ??= this.#loader.epoch(this.#position.epoch, this.#position.batch);
    const { value } = this.#batches.next();
    if (!value) throw new Error("Cannot load a batch: the epoch ended early");
    this.#position.batch++;
    return value;
  }

  /** The position to save. */
  position(): LoaderPosition {
    return { ...this.#position };
  }
}

/**
 * The two parts of a training set that a search uses: the first trains weights, the second alphas.
 *
 * @param count Images in the training set.
 * @param options `share`, the weights' (default 0.5); `images`, to use only the first so many images
 *   of each part, as the quick preset does.
 * @throws {RangeError} If a part would be empty, or has fewer than `images` images.
 */
export function searchParts(
  count: number,
  options: { share?: number; images?: number } = {},
): { weights: IndexRange; alphas: IndexRange } {
  const { share = 0.5, images } = options;
  const middle = Math.floor(count * share), smaller = Math.min(middle, count - middle);
  if (!(share > 0 && share < 1) || smaller < 1) {
    throw new RangeError(
      `Cannot split ${count} images: want a share that leaves both parts some, got ${share}`,
    );
  }
  if (images !== undefined && !(Number.isSafeInteger(images) && images >= 1 && images <= smaller)) {
    throw new RangeError(`Cannot use ${images} images of each part: want 1 to ${smaller}`);
  }
  return {
    weights: { first: 0, end: images ?? middle },
    alphas: { first: middle, end: images === undefined ? count : middle + images },
  };
}
