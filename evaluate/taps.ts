/**
 * Linear maps of an image's rows and columns as matrix products by constants, where no kernel is worth
 * writing: the windows of a 1x7 or 7x1 convolution, and means and pixels of windows without padding. Every
 * backend has the product and its gradient.
 */

import * as tf from "@tensorflow/tfjs-core";
import { concatChannels } from "../nn/cell_chain.ts";

/** Windows along one axis, padded with zeros such that stride 1 keeps the size. */
export interface AxisWindow {
  /** Along what the window lies: the height or the width. */
  readonly axis: "height" | "width";
  /** Taps; odd. */
  readonly kernel: number;
  /** 1 or 2. */
  readonly stride: number;
}

/**
 * The pixels of each window side by side on channels, so that a pointwise convolution of the result is a
 * `1 x kernel` or `kernel x 1` convolution of x; its filter is that one's, `[1, 1, kernel C, M]`.
 *
 * @param x `[N, H, W, C]` float32.
 * @returns `[N, H', W', kernel C]`, with H' or W' divided by the stride.
 */
export function unfold(x: tf.Tensor4D, { axis, kernel, stride }: AxisWindow): tf.Tensor4D {
  const size = axis === "height" ? x.shape[1] : x.shape[2], padding = (kernel - 1) / 2;
  const results = Math.ceil(size / stride);
  const taps = Array.from({ length: kernel }, (_, tap) => {
    const source = (result: number) => result * stride + tap - padding;
    const matrix = matrixOf([results, size], (result, pixel) => Number(source(result) === pixel));
    return alongAxis(x, matrix, axis);
  });
  return concatChannels(taps);
}

/**
 * Average pool without padding.
 *
 * @param x `[N, H, W, C]` float32, H and W of at least `kernel`.
 * @returns `[N, H', W', C]`, `H' = floor((H - kernel) / stride) + 1`.
 */
export function averageWindows(
  x: tf.Tensor4D,
  { kernel, stride }: { kernel: number; stride: number },
): tf.Tensor4D {
  const mean = (size: number) =>
    matrixOf([Math.floor((size - kernel) / stride) + 1, size], (result, pixel) => {
      const tap = pixel - result * stride;
      return tap >= 0 && tap < kernel ? 1 / kernel : 0;
    });
  const columns = alongAxis(x, mean(x.shape[2]), "width");
  return alongAxis(columns, mean(x.shape[1]), "height");
}

/**
 * The pixels of each square window without padding side by side on channels, so that a pointwise
 * convolution of the result is a `side x side` convolution of x; its filter is `[1, 1, side side C, M]`.
 *
 * @param x `[N, H, W, C]` float32, H and W of at least `side`.
 * @returns `[N, H - side + 1, W - side + 1, side side C]`.
 */
export function windowPixels(x: tf.Tensor4D, side: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  if (height === side && width === side) {
    return tf.reshape(x, [batch, 1, 1, side * side * channels]);
  }
  const taps = (image: tf.Tensor4D, axis: AxisWindow["axis"]) =>
    Array.from({ length: side }, (_, tap) => {
      const size = axis === "height" ? height : width;
      const matrix = matrixOf(
        [size - side + 1, size],
        (result, pixel) => Number(pixel === result + tap),
      );
      return alongAxis(image, matrix, axis);
    });
  return concatChannels(taps(x, "height").flatMap((rows) => taps(rows, "width")));
}

/** Multiplies every column, or row, of an image by a matrix `[results, size]`. */
function alongAxis(x: tf.Tensor4D, matrix: tf.Tensor2D, axis: AxisWindow["axis"]): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape, [results] = matrix.shape;
  const lines = axis === "height"
    ? tf.reshape(x, [batch, height, width * channels])
    : tf.reshape(x, [batch * height, width, channels]);
  const shape: [number, number, number, number] = axis === "height"
    ? [batch, results, width, channels]
    : [batch, height, results, channels];
  return tf.reshape(tf.matMul(tf.expandDims(matrix), lines), shape);
}

function matrixOf(
  shape: [number, number],
  value: (row: number, column: number) => number,
): tf.Tensor2D {
  const [rows, columns] = shape;
  const values = Float32Array.from(
    { length: rows * columns },
    (_, index) => value(Math.floor(index / columns), index % columns),
  );
  return tf.tensor2d(values, shape);
}
