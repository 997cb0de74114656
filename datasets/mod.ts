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
export { type ImageFolderOptions, IMAGENET_STATISTICS, readImageFolder } from "./image_folder.ts";
export {
  type Batch,
  BatchCycle,
  BatchLoader,
  type BatchLoaderOptions,
  type IndexRange,
  type LoaderPosition,
  searchParts,
} from "./loader.ts";
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
