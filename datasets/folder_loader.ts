/**
 * Batches of image files in a seeded random order, decoded ahead of the device by workers.
 *
 * An image that cannot be read gives its place to the next readable one of the epoch's order in training;
 * in a test it is left out.
 *
 * Invariants: what an image goes through depends on its position in the epoch alone, and not on the number
 * of workers or on where the iteration began; beside the batch in the making, the pixels that wait take
 * no more than `prefetchBytes` and are those of 8 batches at most, of one at least.
 */

import type { CounterRandom } from "../backends/random.ts";
import { normalisationTable } from "./augmentation.ts";
import type { Batch, BatchIteration, BatchSource, LoaderPosition } from "./batch_source.ts";
import type { DecodePool } from "./decode_pool.ts";
import type { ImageWork } from "./decode_work.ts";
import { EpochOrder, type EpochOrderOptions } from "./epoch_order.ts";
import { DatasetError, type FolderSplit, type Statistics } from "./types.ts";
import type { Part, UnreadableImages } from "./unreadable.ts";

/** Bytes of pixels that wait, unless another number is asked for. */
export const PREFETCH_BYTES = 128 * 2 ** 20;

/** Batches that wait at most: no device needs more, and small images would fill the bytes with thousands. */
const BATCHES_AHEAD = 8;

/** Options of {@linkcode FolderLoader}. */
export interface FolderLoaderOptions extends EpochOrderOptions {
  /** Where the images are. */
  split: FolderSplit;
  /** Which split it is. */
  part: Part;
  /** Mean and deviation to normalise with. */
  statistics: Statistics;
  /** What images go through; in a test unreadable ones are left out. */
  work: ImageWork;
  /** The workers; stay the caller's. */
  pool: DecodePool;
  /** Counts what cannot be read. */
  unreadable: UnreadableImages;
  /** Bytes of pixels that may wait; default 128 MiB. */
  prefetchBytes?: number;
}

/** A file that was met and is no readable image. */
interface Failure {
  path: string;
  reason: string;
}

/** An image of a batch, or none, and the files met on the way to it. */
interface Loaded {
  image?: { pixels: Uint8Array; label: number };
  failures: readonly Failure[];
}

/** A place in an epoch. */
interface Place {
  order: Uint32Array;
  random: CounterRandom;
  position: number;
}

/** Makes batches of a split of image files, or of a part of it. */
export class FolderLoader implements BatchSource {
  /** Images per batch, but for the last. */
  readonly batchSize: number;
  /** Images per epoch. */
  readonly count: number;
  /** Batches per epoch, the last partial one counted. */
  readonly batchesPerEpoch: number;
  /** Height and width of the images in pixels. */
  readonly imageSize: number;

  readonly #options: FolderLoaderOptions;
  readonly #order: EpochOrder;
  readonly #table: Float32Array;

  /**
   * Checks the options; no image is loaded yet.
   *
   * @throws {RangeError} If the batch size is not an integer from 1 to the number of images, or an index
   *   is outside the split.
   */
  constructor(options: FolderLoaderOptions) {
    this.#options = options;
    this.#order = new EpochOrder(options.split.count, options);
    this.#table = normalisationTable(options.statistics);
    this.batchSize = this.#order.batchSize;
    this.count = this.#order.count;
    this.batchesPerEpoch = this.#order.batchesPerEpoch;
    this.imageSize = options.work.transform.size;
  }

  /**
   * The batches of an epoch.
   *
   * @throws {RangeError} If the epoch or start is negative or not an integer.
   * @throws {DatasetError} If too many images cannot be read, or a worker ended.
   */
  async *epoch(epoch: number, start = 0): AsyncGenerator<Batch, void, void> {
    this.#order.checkPosition({ epoch, batch: start });
    using images = this.#load({ epoch, batch: start }, { endless: false });
    for (let batch = start; batch < this.batchesPerEpoch; batch++) {
      yield await this.#take(images, batch);
    }
  }

  /**
   * An endless iteration that begins the next epoch, in a fresh order, when one ends.
   *
   * @throws {RangeError} If the position is not one of whole, non-negative numbers within an epoch.
   */
  cycle(position: LoaderPosition = { epoch: 0, batch: 0 }): BatchIteration {
    this.#order.checkPosition(position);
    const images = this.#load(position, { endless: true });
    let { epoch, batch } = position;
    return {
      next: async () => {
        if (batch === this.batchesPerEpoch) {
          epoch++;
          batch = 0;
        }
        const next = await this.#take(images, batch);
        batch++;
        return next;
      },
      position: () => ({ epoch, batch }),
    };
  }

  #load(position: LoaderPosition, { endless }: { endless: boolean }): ImageQueue {
    const { pool, prefetchBytes = PREFETCH_BYTES } = this.#options;
    const group = pool.group();
    const places = this.#places(position, endless);
    const affordable = Math.floor(prefetchBytes / (3 * this.imageSize ** 2));
    return new ImageQueue({
      loads: places.map((place) => this.#image(place, group)),
      window: Math.max(this.batchSize, Math.min(affordable, BATCHES_AHEAD * this.batchSize)),
      cancel: () => pool.cancel(group),
    });
  }

  /** The places from a position on, to the end of its epoch or without end. */
  *#places({ epoch, batch }: LoaderPosition, endless: boolean): Generator<Place, void, void> {
    for (let first = batch * this.batchSize;; first = 0, epoch++) {
      const order = this.#order.order(epoch), random = this.#order.augmentation(epoch);
      for (let position = first; position < this.count; position++) {
        yield { order, random, position };
      }
      if (!endless) return;
    }
  }

  /** The image at a place, or in training the next that can be read. */
  async #image({ order, random, position }: Place, group: number): Promise<Loaded> {
    const { pool, unreadable, split, work } = this.#options;
    const { key } = random.fork(position);
    const failures: Failure[] = [];
    const tries = work.kind === "test"
      ? 1
      : Math.min(order.length, unreadable.limit(split.count) + 1);
    for (let step = 0; step < tries; step++) {
      const index = order[(position + step) % order.length];
      const path = `${split.root}/${split.paths[index]}`;
      const known = unreadable.reasonOf(path);
      const result = known === undefined
        ? await pool.load({ path, work, key }, group)
        : { reason: known };
      if ("pixels" in result) {
        return { image: { pixels: result.pixels, label: split.labels[index] }, failures };
      }
      failures.push({ path, reason: result.reason });
    }
    return { failures };
  }

  /** The next images of the queue as the batch of that number. */
  async #take(images: ImageQueue, batch: number): Promise<Batch> {
    const { unreadable, split, part, work } = this.#options;
    const places = Math.min(this.batchSize, this.count - batch * this.batchSize);
    const taken: NonNullable<Loaded["image"]>[] = [];
    for (let place = 0; place < places; place++) {
      const { image, failures } = await images.next();
      for (const failure of failures) unreadable.add({ part, ...failure }, split.count);
      if (image) taken.push(image);
      else if (work.kind === "train") {
        throw new DatasetError(`Cannot load a batch: no image of ${this.count} can be read`);
      }
    }
    return this.#batch(taken);
  }

  #batch(taken: readonly NonNullable<Loaded["image"]>[]): Batch {
    const { imageSize } = this, values = 3 * imageSize ** 2, table = this.#table;
    const images = new Float32Array(taken.length * values);
    for (const [place, { pixels }] of taken.entries()) {
      const target = place * values;
      for (let at = 0; at < values; at += 3) {
        images[target + at] = table[pixels[at]];
        images[target + at + 1] = table[256 + pixels[at + 1]];
        images[target + at + 2] = table[512 + pixels[at + 2]];
      }
    }
    const labels = Int32Array.from(taken, ({ label }) => label);
    return { images, labels, size: taken.length, imageSize };
  }
}

/** Images that are loaded ahead, in order; no more wait than the window holds. */
class ImageQueue implements Disposable {
  readonly #loads: Iterator<Promise<Loaded>>;
  readonly #window: number;
  readonly #cancel: () => void;
  readonly #waiting: Promise<Loaded>[] = [];

  constructor(
    { loads, window, cancel }: {
      loads: Iterator<Promise<Loaded>>;
      window: number;
      cancel: () => void;
    },
  ) {
    this.#loads = loads;
    this.#window = window;
    this.#cancel = cancel;
  }

  /** The next image, while those behind it are loaded. */
  next(): Promise<Loaded> {
    while (this.#waiting.length < this.#window) {
      const { value, done } = this.#loads.next();
      if (done) break;
      value.catch(() => {}); // it is thrown where it is taken
      this.#waiting.push(value);
    }
    return this.#waiting.shift() ??
      Promise.reject(new Error("Cannot load an image: the epoch ended"));
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}
