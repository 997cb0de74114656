/** The options of what a run takes of a folder of images, and how. */

import { decimal, integer, list, UsageError } from "./command_line.ts";
import { type ConfigOption, type GivenOptions, optionGroup } from "./config_options.ts";
import { FOLDER_DATASETS, isFolder } from "./folder_config.ts";

/** Options of a folder of images. */
export const FOLDER_OPTIONS: readonly ConfigOption[] = optionGroup(
  "Folders of images (imagenet, imagefolder):",
  [
    [
      "val-share",
      "folder.valShare",
      decimal({ min: 0, above: true, max: 1, below: true }),
      "share of each class to test on, where there is no val/",
      { unset: "train/ and val/" },
    ],
    ["classes", "folder.classes", integer({ min: 1 }), "classes to use, drawn by the seed", {
      unset: "all",
    }],
    [
      "per-class",
      "folder.perClass",
      integer({ min: 1 }),
      "training images to use of each class, drawn by the seed",
      { unset: "all" },
    ],
    ["image-size", "folder.imageSize", integer({ min: 8, max: 1024 }), "side of the input"],
    ["resize", "folder.resize", integer({ min: 8, max: 4096 }), "shorter side of a test image", {
      unset: "8/7 of --image-size",
    }],
    [
      "crop-area",
      "folder.cropArea",
      list(decimal({ min: 0, max: 1 }), 2),
      "share of a random crop",
    ],
    [
      "crop-ratio",
      "folder.cropRatio",
      list(decimal({ min: 0, above: true }), 2),
      "width by height of a random crop",
      { hint: "(default: 3/4 to 4/3)" },
    ],
    [
      "jitter",
      "folder.jitter",
      list(decimal({ min: 0 }), 4),
      "change of brightness, contrast, saturation and hue",
    ],
  ],
);

/**
 * Refuses options of folders for other data sets, and a folder whose place is not given.
 *
 * @throws {UsageError} naming the option
 */
export function checkFolderOptions(given: GivenOptions, dataset: string): void {
  if (isFolder(dataset)) {
    if (given.data !== undefined) return;
    throw new UsageError(`Cannot use --dataset=${dataset} without --data: want the folder's path`);
  }
  const stray = FOLDER_OPTIONS.find(({ name }) => name in given);
  if (stray) {
    throw new UsageError(
      `Cannot use --${stray.name} with --dataset=${dataset}: it is for ${
        FOLDER_DATASETS.join(" and ")
      }`,
    );
  }
}
