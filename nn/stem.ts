/**
 * What stands in front of a network's first cell, in search and evaluation alike, by the kind of images it
 * is made for.
 *
 * Invariant: the stem's batch norms have gamma and beta, those of a search too. Source: arXiv 1904.12760,
 * section 4; the stems are those of arXiv 1806.09055.
 */

import type * as tf from "@tensorflow/tfjs-core";
import type { ForwardMode } from "./batch_norm.ts";
import type { ChainedCell } from "./cell_chain.ts";
import { CifarStem } from "./cifar_stem.ts";
import { ImageNetStem } from "./imagenet_stem.ts";
import type { Parameters } from "./parameters.ts";

/** Kinds of networks, the default first. */
export const NETWORK_KINDS = ["cifar", "imagenet"] as const;
/** Which stem and auxiliary head a network has: for small images, or for those of ImageNet. */
export type NetworkKind = typeof NETWORK_KINDS[number];

/** A stem, with its parameters. */
export interface Stem {
  /** Channels of what stands for the outputs of the last cell but one, and of the last, at cell 0. */
  readonly outputs: readonly [number, number];
  /** Whether the first of them is twice as large as the second, so that cell 0 reduces it. */
  readonly reduces: boolean;
  /**
   * The states that images become, in the order of `stemConsumers`; the caller disposes, or tidies.
   *
   * @param images `[N, H, W, 3]` float32.
   */
  states(
    images: tf.Tensor4D,
    pass: { cells: readonly ChainedCell[]; mode: ForwardMode },
  ): tf.Tensor4D[];
}

/** Makes a stem's parameters, for cells that begin with `channels` channels. */
export function makeStem(
  parameters: Parameters,
  { network = NETWORK_KINDS[0], channels }: { network?: NetworkKind; channels: number },
): Stem {
  return network === "imagenet"
    ? new ImageNetStem(parameters, channels)
    : new CifarStem(parameters, channels);
}

/**
 * Checks that a network can run on images.
 *
 * @throws {TypeError} If they are not rank-4 float32.
 * @throws {RangeError} If they have not three channels, or no pixels.
 */
export function checkImages(images: tf.Tensor4D, what: "network" | "supernet"): void {
  if (images.rank !== 4 || images.dtype !== "float32") {
    throw new TypeError(
      `Cannot run the ${what}: want float32 [N, H, W, 3], got ${images.dtype} [${images.shape}]`,
    );
  }
  if (images.shape[3] !== 3 || images.size === 0) {
    throw new RangeError(`Cannot run the ${what}: want [N, H, W, 3], got [${images.shape}]`);
  }
}
