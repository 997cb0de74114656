/** Naive batch statistics, and the scale and shift that a batch norm amounts to. */

import { type Tensor64, zeros } from "./tensor64.ts";

/** Forward results of {@linkcode naiveBatchNorm} with the gradients they lead to. */
export interface BatchNormResult {
  /** `[2, M]`: `gamma / sqrt(variance + epsilon)` and `beta - mean scale`. */
  affine: Tensor64;
  /** `[2, M]`: mean and biased variance. */
  moments: Tensor64;
  gradients(dAffine: Tensor64): { y: Tensor64; gamma: Tensor64; beta: Tensor64 };
}

/** Statistics of y over everything but its last axis; gamma and beta default to 1 and 0. */
export function naiveBatchNorm(
  y: Tensor64,
  { gamma, beta, epsilon }: { gamma?: Tensor64; beta?: Tensor64; epsilon: number },
): BatchNormResult {
  const channels = y.shape[3], count = y.values.length / channels;
  const affine = zeros([2, channels]), moments = zeros([2, channels]);
  const inverse = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    let mean = 0, variance = 0;
    for (let at = c; at < y.values.length; at += channels) mean += y.values[at] / count;
    for (let at = c; at < y.values.length; at += channels) {
      variance += (y.values[at] - mean) ** 2 / count;
    }
    inverse[c] = 1 / Math.sqrt(variance + epsilon);
    moments.values[c] = mean;
    moments.values[channels + c] = variance;
    affine.values[c] = inverse[c] * (gamma?.values[c] ?? 1);
    affine.values[channels + c] = (beta?.values[c] ?? 0) - mean * affine.values[c];
  }
  const gradients = (dAffine: Tensor64) => {
    const dy = zeros(y.shape), dGamma = zeros([channels]), dBeta = zeros([channels]);
    for (let c = 0; c < channels; c++) {
      const mean = moments.values[c], scale = affine.values[c];
      const dShift = dAffine.values[channels + c];
      const dScale = dAffine.values[c] - mean * dShift;
      dGamma.values[c] = dScale * inverse[c];
      dBeta.values[c] = dShift;
      const dVariance = -0.5 * dScale * scale * inverse[c] ** 2;
      for (let at = c; at < y.values.length; at += channels) {
        dy.values[at] = (2 * dVariance * (y.values[at] - mean) - dShift * scale) / count;
      }
    }
    return { y: dy, gamma: dGamma, beta: dBeta };
  };
  return { affine, moments, gradients };
}

/** `scale x + shift` by channel, with its gradients. */
export function naiveNormalise(x: Tensor64, affine: Tensor64): {
  y: Tensor64;
  gradients(dy: Tensor64): { x: Tensor64; affine: Tensor64 };
} {
  const channels = x.shape[3];
  const y = zeros(x.shape);
  for (let at = 0; at < y.values.length; at++) {
    const c = at % channels;
    y.values[at] = affine.values[c] * x.values[at] + affine.values[channels + c];
  }
  const gradients = (dy: Tensor64) => {
    const dx = zeros(x.shape), dAffine = zeros([2, channels]);
    for (let at = 0; at < y.values.length; at++) {
      const c = at % channels, d = dy.values[at];
      dx.values[at] = d * affine.values[c];
      dAffine.values[c] += d * x.values[at];
      dAffine.values[channels + c] += d;
    }
    return { x: dx, affine: dAffine };
  };
  return { y, gradients };
}

/** `max(x, 0)`; the gradient at 0 is 0. */
export function naiveRelu(x: Tensor64): { y: Tensor64; gradient(dy: Tensor64): Tensor64 } {
  return {
    y: { shape: x.shape, values: x.values.map((value) => Math.max(value, 0)) },
    gradient: (dy) => ({
      shape: x.shape,
      values: x.values.map((value, at) => value > 0 ? dy.values[at] : 0),
    }),
  };
}
