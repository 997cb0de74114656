/**
 * Which images of a folder a run uses, and how they become the network's input: the numbers of ImageNet's
 * published training, their limits and their options.
 *
 * Source: arXiv 1904.12760, section 4.4 ("the paper"), and its authors' code for the transforms, which are
 * torchvision's RandomResizedCrop, ColorJitter, Resize and CenterCrop.
 */

import { type LimitCheck, NOT_NEGATIVE, POSITIVE, POSITIVE_INTEGER } from "./limits.ts";

/** The data sets that are folders of images. */
export const FOLDER_DATASETS = ["imagenet", "imagefolder"] as const;

/** What a folder of images is used for and how. */
export interface FolderConfig {
  /** Share of each class that is for the test; null where the folder has train/ and val/. */
  valShare: number | null;
  /** Classes to use, drawn by the seed; null for all. */
  classes: number | null;
  /** Training images to use of each class, drawn by the seed; null for all. */
  perClass: number | null;
  /** Side of the network's input in pixels. */
  imageSize: number;
  /** Shorter side of a test image before its centre is cut out; null for 8/7 of the input's side. */
  resize: number | null;
  /** Least and greatest area of the random crop, as a share of the image's. */
  cropArea: [number, number];
  /** Least and greatest ratio of its width to its height. */
  cropRatio: [number, number];
  /** Colour jitter: brightness, contrast and saturation change by up to this share, hue by this turn. */
  jitter: [number, number, number, number];
}

/** ImageNet's. */
export const IMAGENET_FOLDER: Readonly<FolderConfig> = {
  valShare: null,
  classes: null,
  perClass: null,
  imageSize: 224, // paper
  resize: null, // authors' code: 256 for 224
  cropArea: [0.08, 1], // torchvision's default, which the authors' code takes
  cropRatio: [3 / 4, 4 / 3], // the same
  jitter: [0.4, 0.4, 0.4, 0.2], // authors' code
};

/** Ours, for runs that end within minutes: small images, changed as before. */
export const QUICK_FOLDER: Readonly<FolderConfig> = { ...IMAGENET_FOLDER, imageSize: 64 };

/** The shorter side of a test image before its centre is cut out, in pixels. */
export function resizeOf({ imageSize, resize }: FolderConfig): number {
  return resize ?? Math.round(imageSize * 256 / 224);
}

/** Limits of a folder's numbers. */
export function folderLimits(folder: FolderConfig): LimitCheck[] {
  const { imageSize, resize, valShare, classes, perClass } = folder;
  const [leastArea, area] = folder.cropArea, [leastRatio, ratio] = folder.cropRatio;
  const [brightness, contrast, saturation, hue] = folder.jitter;
  return [
    ["folder.valShare", valShare ?? 0.5, { above: 0, below: 1 }],
    ["folder.classes", classes ?? 1, POSITIVE_INTEGER],
    ["folder.perClass", perClass ?? 1, POSITIVE_INTEGER],
    ["folder.imageSize", imageSize, { from: 8, to: 1024, whole: "whole" }],
    ["folder.resize", resize ?? imageSize, { from: imageSize, to: 4096, whole: "whole" }],
    ["folder.cropArea", leastArea, { above: 0, to: area }],
    ["folder.cropArea", area, { above: 0, to: 1 }],
    ["folder.cropRatio", leastRatio, { above: 0, to: ratio }],
    ["folder.cropRatio", ratio, POSITIVE],
    ...[brightness, contrast, saturation].map((share): LimitCheck => [
      "folder.jitter",
      share,
      NOT_NEGATIVE,
    ]),
    ["folder.jitter", hue, { from: 0, to: 0.5 }],
  ];
}

/** Whether a data set is a folder of images. */
export function isFolder(dataset: unknown): boolean {
  return FOLDER_DATASETS.some((name) => name === dataset);
}
