/**
 * Opens the sources of a data set's batches: arrays in memory, or files with workers that decode them.
 *
 * Invariants: all sources of one object share its workers, which end when it is disposed; a run of a
 * folder's indices has all classes in their shares (`balanced_order.ts`).
 */

import { CounterRandom } from "../backends/random.ts";
import type { AugmentationStrength } from "./augmentation.ts";
import { balancedOrder } from "./balanced_order.ts";
import type { BatchSource } from "./batch_source.ts";
import { DecodePool } from "./decode_pool.ts";
import type { EpochOrderOptions } from "./epoch_order.ts";
import { FolderLoader } from "./folder_loader.ts";
import type { TestTransform, TrainTransform } from "./image_transforms.ts";
import { BatchLoader } from "./loader.ts";
import {
  type Dataset,
  type FolderDataset,
  type FolderSplit,
  isFolderDataset,
  type Statistics,
} from "./types.ts";
import { type Part, UnreadableImages } from "./unreadable.ts";

/** Names the random stream of the balanced order within a seed. */
const BALANCED_STREAM = 0x62616c61;

/** The training transform of ImageNet. REFERENCE: "Evaluation". */
export const IMAGENET_TRAIN_TRANSFORM: TrainTransform = {
  size: 224,
  area: [0.08, 1],
  ratio: [3 / 4, 4 / 3],
  flipProbability: 0.5,
  jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.2 },
};

/** The test transform of ImageNet. REFERENCE: "Evaluation". */
export const IMAGENET_TEST_TRANSFORM: TestTransform = { resize: 256, size: 224 };

/** How image files are loaded; a data set in memory has no use for it. */
export interface FolderOptions {
  /** What training images go through; default ImageNet's. */
  train?: TrainTransform;
  /** What test images go through; default ImageNet's. */
  test?: TestTransform;
  /** Number of workers; default one less than the processors. */
  workers?: number;
  /** Bytes of pixels that may wait in each iteration; default 128 MiB. */
  prefetchBytes?: number;
  /** Counts what cannot be read; by default a count of its own, up to 1 % of a split. */
  unreadable?: UnreadableImages;
}

/** Options of {@linkcode BatchSources.open}. */
export interface SourceOptions extends EpochOrderOptions {
  /** Mean and deviation to normalise with; default the data set's. */
  statistics?: Statistics;
  /** Random transforms (default), else those of the test. */
  augment?: boolean;
  /** How strong they are, for images in memory. */
  augmentation?: AugmentationStrength;
}

/** The sources of a data set's batches. */
export class BatchSources implements Disposable {
  /** What the batches are of. */
  readonly data: Dataset;
  readonly #folder: FolderOptions;
  readonly #unreadable: UnreadableImages;
  readonly #orders = new Map<string, Uint32Array>();
  #pool: DecodePool | undefined;

  /** Starts nothing yet. */
  constructor(data: Dataset, folder: FolderOptions = {}) {
    this.data = data;
    this.#folder = folder;
    this.#unreadable = folder.unreadable ?? new UnreadableImages();
  }

  /**
   * Opens a source.
   *
   * @param part Which split.
   * @throws {RangeError} If the batch size is not an integer from 1 to the number of images, an index is
   *   outside the split, or a number of the transform or of the workers is out of range.
   */
  open(part: Part, options: SourceOptions): BatchSource {
    const { data } = this;
    if (isFolderDataset(data)) return this.#openFolder(data, part, options);
    const { augmentation, ...common } = options;
    return new BatchLoader({ statistics: data, split: data[part], ...common, ...augmentation });
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    this.#pool?.[Symbol.dispose]();
  }

  #openFolder(data: FolderDataset, part: Part, options: SourceOptions): FolderLoader {
    const { train = IMAGENET_TRAIN_TRANSFORM, test = IMAGENET_TEST_TRANSFORM } = this.#folder;
    const { prefetchBytes, workers } = this.#folder;
    const { augment = true, statistics = data, ...order } = options, split = data[part];
    this.#pool ??= new DecodePool({ roots: [data.train.root, data.test.root], workers });
    return new FolderLoader({
      ...order,
      indices: this.#balanced(part, split, options),
      split,
      part,
      statistics,
      work: augment ? { kind: "train", transform: train } : { kind: "test", transform: test },
      pool: this.#pool,
      unreadable: this.#unreadable,
      prefetchBytes,
    });
  }

  /** The images that the options name, as places in the split's balanced order. */
  #balanced(
    part: Part,
    { labels, count }: FolderSplit,
    { indices = { first: 0, end: count }, seed = 0 }: EpochOrderOptions,
  ): ArrayLike<number> {
    const key = `${part} ${seed}`, random = new CounterRandom(seed).fork(BALANCED_STREAM);
    const order = this.#orders.get(key) ?? balancedOrder(labels, random);
    this.#orders.set(key, order);
    if ("first" in indices) return order.subarray(indices.first, indices.end);
    return Array.from(indices, (index) => order[index]);
  }
}
