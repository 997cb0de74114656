/**
 * What a data set is to the rest of the project: images in memory or in files, their labels and their
 * statistics.
 *
 * Invariants: images stay uint8 until a batch is written; `count` agrees with both arrays; in memory the
 * order is the published one, since the search splits the training set by index, and in files it is
 * torchvision's, by class and path.
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

/** The data sets that {@linkcode loadDataset} loads into memory. */
export type CifarName = "cifar10" | "cifar100";

/** The data sets that {@linkcode readImageFolder} lists; the name says which preset fits. */
export type FolderName = "imagenet" | "imagefolder";

/** All kinds of data sets. */
export type DatasetName = CifarName | FolderName;

/** A data set in memory. */
export interface ImageDataset extends Statistics {
  /** Which data set it is. */
  name: CifarName;
  /** Class names; a label is an index into them. */
  classes: readonly string[];
  /** Training images. */
  train: Split;
  /** Test images. */
  test: Split;
}

/** The image files of one part of a data set, and their labels. */
export interface FolderSplit {
  /** Folder that holds the class folders. */
  root: string;
  /** `[count]`, paths below `root`, by class and then by name. */
  paths: readonly string[];
  /** `[count]`, class indices from 0. */
  labels: Int32Array<ArrayBuffer>;
  /** Number of images. */
  count: number;
}

/** A data set of image files, decoded as they are needed. */
export interface FolderDataset extends Statistics {
  /** Which data set it is. */
  name: FolderName;
  /** Class names, those of the folders; a label is an index into them. */
  classes: readonly string[];
  /** Training images. */
  train: FolderSplit;
  /** Test images. */
  test: FolderSplit;
}

/** A data set, wherever its images are. */
export type Dataset = ImageDataset | FolderDataset;

/** Whether the images are in files. */
export function isFolderDataset(data: Dataset): data is FolderDataset {
  return data.name === "imagenet" || data.name === "imagefolder";
}

/** Data that is missing, damaged or not what was asked for; the message is one sentence for the user. */
export class DatasetError extends Error {
  /** Name of the class. */
  override readonly name = "DatasetError";
}
