/** Data sets, their augmentation and their batches. */

export {
  type AugmentationOptions,
  type AugmentationStrength,
  augmentBatch,
  CROP_PADDING,
  FLIP_PROBABILITY,
  IMAGE_SIZE,
  normalisationTable,
} from "./augmentation.ts";
export { loadDataset, type LoadDatasetOptions } from "./cifar.ts";
export type { Batch, BatchIteration, BatchSource, LoaderPosition } from "./batch_source.ts";
export {
  BatchSources,
  type FolderOptions,
  IMAGENET_TEST_TRANSFORM,
  IMAGENET_TRAIN_TRANSFORM,
  type SourceOptions,
} from "./batch_sources.ts";
export { type EpochOrderOptions, type IndexRange } from "./epoch_order.ts";
export { type ImageFolderOptions, IMAGENET_STATISTICS, readImageFolder } from "./image_folder.ts";
export type { JitterStrength } from "./colour_jitter.ts";
export type { TestTransform, TrainTransform } from "./image_transforms.ts";
export type { CropRange } from "./random_crop.ts";
export { BatchCycle, BatchLoader, type BatchLoaderOptions, searchParts } from "./loader.ts";
export {
  type CifarName,
  type Dataset,
  DatasetError,
  type DatasetName,
  type FolderDataset,
  type FolderName,
  type FolderSplit,
  type ImageDataset,
  isFolderDataset,
  type Split,
  type Statistics,
} from "./types.ts";
export {
  MAX_UNREADABLE,
  parseUnreadable,
  type Part,
  type UnreadableImage,
  UnreadableImages,
  unreadableText,
} from "./unreadable.ts";
export { openDataset, type OpenDatasetOptions } from "./open_dataset.ts";
export { RunImages, type RunImagesOptions } from "./run_images.ts";
