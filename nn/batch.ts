/** A batch of images and labels, on the host and as tensors. */

import * as tf from "@tensorflow/tfjs-core";
import { CounterRandom } from "../backends/random.ts";

/** Images ready for the network, and their labels. */
export interface Batch {
  /** `[size, side, side, 3]` float32, NHWC, normalised. */
  images: Float32Array;
  /** `[size]` int32, class indices. */
  labels: Int32Array;
  /** Number of images. */
  size: number;
}

/** A batch as tensors. */
export interface BatchTensors {
  /** `[size, side, side, 3]` float32. */
  images: tf.Tensor4D;
  /** `[size]` int32. */
  labels: tf.Tensor1D;
}

/** Standard normal images with uniform labels, the same on every call, for what is timed. */
export function randomBatch(
  size: number,
  { side = 32, classes = 10 }: { side?: number; classes?: number } = {},
): Batch {
  const random = new CounterRandom(0);
  return {
    images: Float32Array.from({ length: size * side * side * 3 }, () => random.normal()),
    labels: Int32Array.from({ length: size }, () => random.integer(classes)),
    size,
  };
}

/**
 * A batch as tensors; the caller disposes.
 *
 * @throws {RangeError} If there is not one label and one square image of three channels for each of `size`.
 */
export function batchTensors({ images, labels, size }: Batch): BatchTensors {
  const side = Math.sqrt(images.length / (3 * size));
  if (labels.length !== size || !Number.isInteger(side)) {
    throw new RangeError(
      `Cannot use a batch of ${size}: got ${labels.length} labels and ${images.length} image values, ` +
        `no square images of three channels`,
    );
  }
  return tf.tidy(() => ({
    images: tf.tensor4d(images, [size, side, side, 3]),
    labels: tf.tensor1d(labels, "int32"),
  }));
}
