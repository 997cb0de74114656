/**
 * What a data set is to the rest of the project: images in memory, their labels and their statistics.
 *
 * Invariants: images stay uint8 until a batch is written; `count` agrees with both arrays; the order is
 * the published one, since the search splits the training set by index.
 */

/** Images and labels of one part of a data set. */
export interface Split {
  /** `[count, height, width, 3]`, NHWC, red first, 0..255. */
  images: Uint8Array<ArrayBuffer>;
  /** `[count]`, class indices from 0. */
  labels: Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  /** Number of images. */
  count: number;
}

/** Per-channel statistics of pixel values in 0..1, red first. */
export interface Statistics {
  /** Means. */
  mean: readonly number[];
  /** Standard deviations. */
  std: readonly number[];
}

/** The data sets that {@linkcode loadDataset} knows. */
export type DatasetName = "cifar10" | "cifar100";

/** A data set in memory. */
export interface ImageDataset extends Statistics {
  /** Which data set it is. */
  name: DatasetName;
  /** Class names; a label is an index into them. */
  classes: readonly string[];
  /** Training images. */
  train: Split;
  /** Test images. */
  test: Split;
}

/** Data that is missing, damaged or not what was asked for; the message is one sentence for the user. */
export class DatasetError extends Error {
  /** Name of the class. */
  override readonly name = "DatasetError";
}
