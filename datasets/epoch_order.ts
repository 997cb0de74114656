/**
 * In which order a source visits its images, epoch by epoch.
 *
 * Invariant: an order depends on (seed, stream, epoch) alone; nothing is kept between epochs.
 */

import { CounterRandom } from "../backends/random.ts";
import type { LoaderPosition } from "./batch_source.ts";

/** Streams below an epoch's: one for the order, one for the augmentation. */
const ORDER_STREAM = 0, AUGMENTATION_STREAM = 1;

/** A run of consecutive images: `first` up to but not including `end`. */
export interface IndexRange {
  /** First image. */
  first: number;
  /** One past the last image. */
  end: number;
}

/** Options of {@linkcode EpochOrder}. */
export interface EpochOrderOptions {
  /** Images per batch. */
  batchSize: number;
  /** The images to use; by default all. */
  indices?: IndexRange | ArrayLike<number>;
  /** Seed of the run; default 0. */
  seed?: number;
  /** Names this source's random stream within the run, such as `[stage, half]`; default none. */
  stream?: readonly number[];
  /** Fresh random order every epoch (default), else the order of `indices`. */
  shuffle?: boolean;
}

function indicesOf(count: number, options: EpochOrderOptions): Uint32Array {
  const { indices = { first: 0, end: count } } = options;
  const list = "first" in indices
    ? Array.from({ length: Math.max(0, indices.end - indices.first) }, (_, i) => indices.first + i)
    : Array.from(indices);
  const wrong = list.find((index) => !Number.isInteger(index) || index < 0 || index >= count);
  if (wrong !== undefined) {
    throw new RangeError(`Cannot load image ${wrong}: the split has ${count} images`);
  }
  return Uint32Array.from(list);
}

/** @throws {RangeError} If the value is negative or not an integer. */
export function checkWhole(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot load batches: want ${what} of 0 or more, got ${value}`);
  }
}

/** The orders of a source's epochs. */
export class EpochOrder {
  /** Images per batch, but for the last. */
  readonly batchSize: number;
  /** Images per epoch. */
  readonly count: number;
  /** Batches per epoch, the last partial one counted. */
  readonly batchesPerEpoch: number;

  readonly #indices: Uint32Array;
  readonly #random: CounterRandom;
  readonly #shuffle: boolean;

  /**
   * Checks the options.
   *
   * @param count Images in the split.
   * @throws {RangeError} If the batch size is not an integer from 1 to the number of images, or an index
   *   is outside the split.
   */
  constructor(count: number, options: EpochOrderOptions) {
    const { batchSize, seed = 0, stream = [], shuffle = true } = options;
    this.#indices = indicesOf(count, options);
    this.count = this.#indices.length;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1 || batchSize > this.count) {
      throw new RangeError(
        `Cannot load batches of ${batchSize} images: want 1 to ${this.count}, the size of the data set`,
      );
    }
    this.batchSize = batchSize;
    this.batchesPerEpoch = Math.ceil(this.count / batchSize);
    this.#random = new CounterRandom(seed).fork(...stream);
    this.#shuffle = shuffle;
  }

  /**
   * The images of an epoch in the order they are visited, as indices into the split.
   *
   * @throws {RangeError} If the epoch is negative or not an integer.
   */
  order(epoch: number): Uint32Array {
    checkWhole("an epoch", epoch);
    if (!this.#shuffle) return this.#indices.slice();
    return this.#random.fork(epoch, ORDER_STREAM).permutation(this.count)
      .map((place) => this.#indices[place]);
  }

  /** The stream of an epoch's augmentation; the image at a position draws from a fork of it. */
  augmentation(epoch: number): CounterRandom {
    return this.#random.fork(epoch, AUGMENTATION_STREAM);
  }

  /** @throws {RangeError} If the position is not one of whole, non-negative numbers within an epoch. */
  checkPosition({ epoch, batch }: LoaderPosition): void {
    checkWhole("an epoch", epoch);
    checkWhole("a first batch", batch);
    if (batch > this.batchesPerEpoch) {
      throw new RangeError(
        `Cannot start at batch ${batch}: an epoch has ${this.batchesPerEpoch}`,
      );
    }
  }
}
