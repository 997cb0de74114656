/**
 * Batches of a data set in a seeded random order, with a position that can be saved and restored.
 *
 * Invariants: an epoch's order and augmentation depend on (seed, stream, epoch) alone, so a loader keeps
 * no random state and any batch can be made again by its position; the last partial batch is used.
 * Ownership: every batch has arrays of its own, which the receiver may keep, change or transfer.
 */

import { CounterRandom } from "../backends/random.ts";
import {
  type AugmentationStrength,
  augmentBatch,
  checkStrength,
  IMAGE_VALUES,
  normalisationTable,
} from "./augmentation.ts";
import type { Split, Statistics } from "./types.ts";

/** Streams below an epoch's: one for the order, one for the augmentation. */
const ORDER_STREAM = 0, AUGMENTATION_STREAM = 1;

/** A run of consecutive images: `first` up to but not including `end`. */
export interface IndexRange {
  /** First image. */
  first: number;
  /** One past the last image. */
  end: number;
}

/** Where an iteration stands: the epoch, and the number of its batches already taken. */
export interface LoaderPosition {
  /** Epoch, from 0. */
  epoch: number;
  /** Batches of it already taken. */
  batch: number;
}

/** Images ready for a network, and their labels. */
export interface Batch {
  /** `[size, 32, 32, 3]` float32, normalised. */
  images: Float32Array<ArrayBuffer>;
  /** `[size]` int32, class indices. */
  labels: Int32Array<ArrayBuffer>;
  /** Number of images: the batch size, or less in the last batch of an epoch. */
  size: number;
}

/** Options of {@linkcode BatchLoader}. */
export interface BatchLoaderOptions extends AugmentationStrength {
  /** Where the images are. */
  split: Split;
  /** Mean and deviation to normalise with. */
  statistics: Statistics;
  /** Images per batch. */
  batchSize: number;
  /** The images to use; by default all. */
  indices?: IndexRange | ArrayLike<number>;
  /** Seed of the run; default 0. */
  seed?: number;
  /** Names this loader's random stream within the run, such as `[stage, half]`; default none. */
  stream?: readonly number[];
  /** Fresh random order every epoch (default), else the order of `indices`. */
  shuffle?: boolean;
  /** Random crop, flip and cutout; default true. */
  augment?: boolean;
}

function indicesOf(options: BatchLoaderOptions): Uint32Array {
  const { split, indices = { first: 0, end: split.count } } = options;
  const list = "first" in indices
    ? Array.from({ length: Math.max(0, indices.end - indices.first) }, (_, i) => indices.first + i)
    : Array.from(indices);
  const wrong = list.find((index) => !Number.isInteger(index) || index < 0 || index >= split.count);
  if (wrong !== undefined) {
    throw new RangeError(`Cannot load image ${wrong}: the split has ${split.count} images`);
  }
  return Uint32Array.from(list);
}

function checkWhole(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot load batches: want ${what} of 0 or more, got ${value}`);
  }
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
export class BatchLoader {
  /** Images per batch, but for the last. */
  readonly batchSize: number;
  /** Images per epoch. */
  readonly count: number;
  /** Batches per epoch, the last partial one counted. */
  readonly batchesPerEpoch: number;

  readonly #options: BatchLoaderOptions;
  readonly #indices: Uint32Array;
  readonly #table: Float32Array;
  readonly #random: CounterRandom;

  /**
   * Checks the options; no batch is made yet.
   *
   * @throws {RangeError} If the batch size is not an integer from 1 to the number of images, or an index
   *   is outside the split.
   */
  constructor(options: BatchLoaderOptions) {
    const { batchSize, seed = 0, stream = [] } = options;
    this.#indices = indicesOf(options);
    this.count = this.#indices.length;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1 || batchSize > this.count) {
      throw new RangeError(
        `Cannot load batches of ${batchSize} images: want 1 to ${this.count}, the size of the data set`,
      );
    }
    checkStrength(options);
    this.#options = options;
    this.batchSize = batchSize;
    this.batchesPerEpoch = Math.ceil(this.count / batchSize);
    this.#table = normalisationTable(options.statistics);
    this.#random = new CounterRandom(seed).fork(...stream);
  }

  /**
   * The images of an epoch in the order they are visited, as indices into the split.
   *
   * @throws {RangeError} If the epoch is negative or not an integer.
   */
  order(epoch: number): Uint32Array {
    checkWhole("an epoch", epoch);
    if (this.#options.shuffle === false) return this.#indices.slice();
    return this.#random.fork(epoch, ORDER_STREAM).permutation(this.count)
      .map((place) => this.#indices[place]);
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

  /** An endless iteration that begins the next epoch, in a fresh order, when one ends. */
  cycle(position: LoaderPosition = { epoch: 0, batch: 0 }): BatchCycle {
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
      random: augment ? this.#random.fork(epoch, AUGMENTATION_STREAM) : undefined,
      position,
      cropPadding,
      flipProbability,
      cutout,
    });
    return { images, labels: Int32Array.from(indices, (index) => split.labels[index]), size };
  }
}

/** An endless iteration over a loader; made by {@linkcode BatchLoader.cycle}. */
export class BatchCycle {
  readonly #loader: BatchLoader;
  #position: LoaderPosition;
  #batches: Generator<Batch, void, void> | undefined;

  /**
   * Begins at a position.
   *
   * @param loader Makes the batches.
   * @param position Where to begin; a saved {@linkcode BatchCycle.position} continues exactly there.
   * @throws {RangeError} If the position is not one of whole, non-negative numbers within an epoch.
   */
  constructor(loader: BatchLoader, position: LoaderPosition) {
    checkWhole("an epoch", position.epoch);
    checkWhole("a first batch", position.batch);
    if (position.batch > loader.batchesPerEpoch) {
      throw new RangeError(
        `Cannot start at batch ${position.batch}: an epoch has ${loader.batchesPerEpoch}`,
      );
    }
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
