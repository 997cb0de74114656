/** Made-up images for the tests of augmentation and loading: pixel values tell where they came from. */

import { IMAGE_VALUES } from "../../datasets/augmentation.ts";
import type { Split, Statistics } from "../../datasets/types.ts";

/** Statistics under which a value passes through unchanged: (v / 255 - 0) / (1 / 255). */
export const IDENTITY: Statistics = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] };

/** Images whose values differ by image, row, column and channel; image `i` has label `i % classes`. */
export function syntheticSplit(count: number, classes = 10): Split {
  const images = new Uint8Array(count * IMAGE_VALUES);
  for (let at = 0; at < images.length; at++) {
    images[at] = 1 + (Math.imul(at, 2654435761) >>> 8) % 255;
  }
  return { images, labels: Uint8Array.from({ length: count }, (_, i) => i % classes), count };
}

/** Images of one value each: image `i` is all `i + 1`, its label `i % 256`. */
export function flatSplit(count: number): Split {
  const images = new Uint8Array(count * IMAGE_VALUES);
  for (let i = 0; i < count; i++) images.fill(i + 1, i * IMAGE_VALUES, (i + 1) * IMAGE_VALUES);
  return { images, labels: Uint8Array.from({ length: count }, (_, i) => i), count };
}
