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
  DatasetError,
  type DatasetName,
  type ImageDataset,
  type Split,
  type Statistics,
} from "./types.ts";
