/**
 * Real images for the tests: those of `datasets/cifar_sample.ts`. The file is imported as a module: plain
 * `deno test`, which grants no permission, can read it.
 */

import png from "../../datasets/cifar10_sample.png" with { type: "bytes" };
import { cifarSample } from "../../datasets/cifar_sample.ts";
import type { ImageDataset } from "../../datasets/types.ts";

/** CIFAR-10 with its first 384 training and 96 test images; every call makes arrays of its own. */
export function loadSample(): ImageDataset {
  return cifarSample(png);
}
