/**
 * Naive convolutions and pools, forward and gradient, one visit per output pixel and tap.
 *
 * All are correlations: `out[i, j] = sum over taps (a, b) of x[start + stride i + dilation a, ...] f[a, b]`,
 * where taps outside the image count as zero (convolutions) or do not exist (pools).
 */

import { type Tensor64, zeros } from "./tensor64.ts";

/** A window's movement over an image; `start` is the position of its first tap, minus the padding. */
export interface NaiveWindow {
  kernel: number;
  stride: number;
  dilation: number;
  start: number;
  /** `[height, width]` of the result. */
  output: [number, number];
}

/** A window padded so that stride 1 keeps the size. */
export function paddedWindow(
  x: Tensor64,
  { kernel, stride, dilation }: { kernel: number; stride: number; dilation: number },
): NaiveWindow {
  const start = -(dilation * (kernel - 1)) / 2;
  const [, height, width] = x.shape;
  return {
    kernel,
    stride,
    dilation,
    start,
    output: [Math.ceil(height / stride), Math.ceil(width / stride)],
  };
}

type Visit = (pixel: number, output: number, tap: number) => void;

/** Calls `visit` with the flat pixel numbers and the flat tap number, taps in rows. */
function forEachTap(x: Tensor64, window: NaiveWindow, visit: Visit): void {
  const [batch, height, width] = x.shape;
  const { kernel, stride, dilation, start, output: [rows, columns] } = window;
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const output = (n * rows + i) * columns + j;
        for (let a = 0; a < kernel; a++) {
          const row = start + stride * i + dilation * a;
          if (row < 0 || row >= height) continue;
          for (let b = 0; b < kernel; b++) {
            const column = start + stride * j + dilation * b;
            if (column < 0 || column >= width) continue;
            visit((n * height + row) * width + column, output, a * kernel + b);
          }
        }
      }
    }
  }
}

/** A forward result with the gradients it leads to. */
export interface FilterResult {
  y: Tensor64;
  gradients(dy: Tensor64): { x: Tensor64; filter: Tensor64 };
}

/** A depthwise convolution, filter `[k, k, C, 1]`. */
export function naiveDepthwise(x: Tensor64, filter: Tensor64, window: NaiveWindow): FilterResult {
  const channels = x.shape[3];
  const y = zeros([x.shape[0], ...window.output, channels]);
  forEachTap(x, window, (pixel, output, tap) => {
    for (let c = 0; c < channels; c++) {
      y.values[output * channels + c] += x.values[pixel * channels + c] *
        filter.values[tap * channels + c];
    }
  });
  const gradients = (dy: Tensor64) => {
    const dx = zeros(x.shape), df = zeros(filter.shape);
    forEachTap(x, window, (pixel, output, tap) => {
      for (let c = 0; c < channels; c++) {
        const d = dy.values[output * channels + c];
        dx.values[pixel * channels + c] += d * filter.values[tap * channels + c];
        df.values[tap * channels + c] += d * x.values[pixel * channels + c];
      }
    });
    return { x: dx, filter: df };
  };
  return { y, gradients };
}

/** A dense convolution, filter `[k, k, C, M]`. */
export function naiveConvolution(x: Tensor64, filter: Tensor64, window: NaiveWindow): FilterResult {
  const channels = x.shape[3], results = filter.shape[3];
  const y = zeros([x.shape[0], ...window.output, results]);
  forEachTap(x, window, (pixel, output, tap) => {
    for (let c = 0; c < channels; c++) {
      const value = x.values[pixel * channels + c], row = (tap * channels + c) * results;
      for (let m = 0; m < results; m++) {
        y.values[output * results + m] += value * filter.values[row + m];
      }
    }
  });
  const gradients = (dy: Tensor64) => {
    const dx = zeros(x.shape), df = zeros(filter.shape);
    forEachTap(x, window, (pixel, output, tap) => {
      for (let c = 0; c < channels; c++) {
        const value = x.values[pixel * channels + c], row = (tap * channels + c) * results;
        let sum = 0;
        for (let m = 0; m < results; m++) {
          const d = dy.values[output * results + m];
          sum += d * filter.values[row + m];
          df.values[row + m] += d * value;
        }
        dx.values[pixel * channels + c] += sum;
      }
    });
    return { x: dx, filter: df };
  };
  return { y, gradients };
}

/** A forward result of a pool with the gradient of its input. */
export interface PoolResult {
  y: Tensor64;
  gradient(dy: Tensor64): Tensor64;
}

/** A maximum; of equal values the first tap of the window gets the gradient. */
export function naiveMaxPool(x: Tensor64, window: NaiveWindow): PoolResult {
  const channels = x.shape[3];
  const y = zeros([x.shape[0], ...window.output, channels]);
  const winner = new Int32Array(y.values.length).fill(-1);
  forEachTap(x, window, (pixel, output) => {
    for (let c = 0; c < channels; c++) {
      const at = output * channels + c, from = pixel * channels + c;
      if (winner[at] >= 0 && !(x.values[from] > x.values[winner[at]])) continue;
      winner[at] = from;
    }
  });
  winner.forEach((from, at) => y.values[at] = x.values[from]);
  const gradient = (dy: Tensor64) => {
    const dx = zeros(x.shape);
    winner.forEach((from, at) => dx.values[from] += dy.values[at]);
    return dx;
  };
  return { y, gradient };
}

/** An average over the taps inside the image. */
export function naiveAveragePool(x: Tensor64, window: NaiveWindow): PoolResult {
  const channels = x.shape[3];
  const y = zeros([x.shape[0], ...window.output, channels]);
  const count = new Float64Array(y.values.length / channels);
  forEachTap(x, window, (pixel, output) => {
    count[output]++;
    for (let c = 0; c < channels; c++) {
      y.values[output * channels + c] += x.values[pixel * channels + c];
    }
  });
  y.values.forEach((sum, at) => y.values[at] = sum / count[Math.floor(at / channels)]);
  const gradient = (dy: Tensor64) => {
    const dx = zeros(x.shape);
    forEachTap(x, window, (pixel, output) => {
      for (let c = 0; c < channels; c++) {
        dx.values[pixel * channels + c] += dy.values[output * channels + c] / count[output];
      }
    });
    return dx;
  };
  return { y, gradient };
}
