/** Loads whichever data set a program names: CIFAR into memory, or the list of a folder's images. */

import { type FolderConfig, isFolder } from "../nn/folder_config.ts";
import { loadDataset } from "./cifar.ts";
import { readImageFolder } from "./image_folder.ts";
import type { CifarName, Dataset, DatasetName, FolderName } from "./types.ts";

/** Which data set, and what is used of it. */
export interface OpenDatasetOptions {
  /** The data set. */
  readonly name: DatasetName;
  /** CIFAR's archive, or the folder of images. */
  readonly data?: string;
  /** What is used of a folder; null for CIFAR. */
  readonly folder: Pick<FolderConfig, "valShare" | "classes" | "perClass"> | null;
  /** Draws what is used of a folder. */
  readonly seed: number;
  /** Keeps CIFAR where it was fetched. */
  readonly cacheDir: string;
  /** Told what is being done where it takes seconds. */
  readonly onProgress?: (message: string) => void;
}

/**
 * Opens a data set.
 *
 * @throws {DatasetError} If the data is missing, damaged or not as its options say.
 */
export async function openDataset(options: OpenDatasetOptions): Promise<Dataset> {
  const { name, data = ".", folder, seed, onProgress } = options;
  if (!isFolder(name)) return await loadDataset({ ...options, name: name as CifarName });
  onProgress?.(`Listing the images of ${data}`);
  const { valShare, classes, perClass } = folder ?? {};
  const found = await readImageFolder({
    name: name as FolderName,
    root: data,
    valShare: valShare ?? undefined,
    classes: classes ?? undefined,
    perClass: perClass ?? undefined,
    seed,
  });
  const { train, test } = found;
  onProgress?.(
    `${found.classes.length} classes, ${train.count} training and ${test.count} test images`,
  );
  return found;
}
