/**
 * Branches in plain tfjs ops: the definition that kernels are tested against. Every op used has a
 * correct gradient in tfjs, so the tape differentiates this without help.
 *
 * tfjs refuses gradients of dilated convolutions, so a dilated filter is spelled out with zeros between
 * its taps; its average-pool gradient divides border windows by 9, so an average is a depthwise
 * convolution by ones over the number of pixels covered.
 */

import * as tf from "@tensorflow/tfjs-core";
import { windowPadding } from "../geometry/windows.ts";
import type { Branch, BranchesOptions, BranchOutput } from "./branches.ts";

/** {@linkcode branches} as tfjs ops. */
export function composeBranches(
  x: tf.Tensor4D,
  branches: Branch[],
  { activation = "none", affine, epsilon = 1e-5 }: BranchesOptions,
): BranchOutput[] {
  return tf.tidy(() => {
    let active = x;
    if (affine) active = tf.relu(normalise(x, affine));
    else if (activation === "relu") active = tf.relu(x);
    return branches.map((branch): BranchOutput => {
      const y = result(x, active, branch);
      if (branch.kind === "identity" || branch.statistics === false) return { y };
      return { y, ...batchNorm(y, "norm" in branch ? branch.norm : undefined, epsilon) };
    });
  });
}

/** `scale x + shift` by channel, for a `[2, C]` pair. */
export function normalise(x: tf.Tensor4D, affine: tf.Tensor2D): tf.Tensor4D {
  const [scale, shift] = tf.unstack(affine);
  return tf.add(tf.mul(x, scale), shift);
}

function result(x: tf.Tensor4D, active: tf.Tensor4D, branch: Branch): tf.Tensor4D {
  switch (branch.kind) {
    case "separable": {
      const kernel = branch.depthwise.shape[0];
      const filter = branch.dilation === 1
        ? branch.depthwise
        : dilate(branch.depthwise, branch.dilation);
      const pad = windowPadding({ kernel, dilation: branch.dilation });
      const padded = tf.pad(active, [[0, 0], [pad, pad], [pad, pad], [0, 0]]);
      const spatial = tf.depthwiseConv2d(padded, filter, branch.stride, "valid");
      return tf.conv2d(spatial, branch.pointwise, 1, "valid");
    }
    case "pointwise":
      return tf.conv2d(active, branch.filter, 1, "valid");
    case "convolution": {
      const pad = windowPadding({ kernel: branch.filter.shape[0], dilation: 1 });
      const padded = tf.pad(active, [[0, 0], [pad, pad], [pad, pad], [0, 0]]);
      return tf.conv2d(padded, branch.filter, branch.stride, "valid");
    }
    case "factorized_reduce": {
      const [batch, height, width, channels] = x.shape;
      const moved = tf.slice(active, [0, 1, 1, 0], [batch, height - 1, width - 1, channels]);
      return tf.concat([
        tf.conv2d(active, branch.filters[0], 2, "valid"),
        tf.conv2d(moved, branch.filters[1], 2, "valid"),
      ], 3);
    }
    case "max_pool":
      return tf.maxPool(x, 3, branch.stride, 1, "floor");
    case "avg_pool":
      return averagePool(x, branch.stride);
    case "identity":
      return tf.clone(x);
  }
}

function averagePool(x: tf.Tensor4D, stride: number): tf.Tensor4D {
  const ones = tf.ones<tf.Rank.R4>([3, 3, x.shape[3], 1]);
  const sum = (image: tf.Tensor4D) =>
    tf.depthwiseConv2d(
      tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]]),
      ones,
      stride,
      "valid",
    );
  const covered = sum(tf.ones([1, x.shape[1], x.shape[2], x.shape[3]]));
  return tf.div(sum(x), covered);
}

/**
 * A `[k, k, C, 1]` filter with `dilation - 1` zeros between its taps: spread along rows, then along
 * columns, as tfjs-backend-webgpu cannot pad tensors of rank 5.
 */
function dilate(filter: tf.Tensor4D, dilation: number): tf.Tensor4D {
  const [kernel, , channels] = filter.shape;
  const reach = dilation * (kernel - 1) + 1, side = kernel * dilation;
  const spread = (x: tf.Tensor, shape: [number, number, number]) =>
    tf.pad(tf.reshape(x, shape), [[0, 0], [0, dilation - 1], [0, 0]]);
  const rows = spread(filter, [kernel, 1, kernel * channels]);
  const taps = spread(rows, [side * kernel, 1, channels]);
  return tf.slice(
    tf.reshape(taps, [side, side, channels, 1]) as tf.Tensor4D,
    [0, 0, 0, 0],
    [reach, reach, channels, 1],
  );
}

function batchNorm(
  y: tf.Tensor4D,
  norm: { gamma: tf.Tensor1D; beta: tf.Tensor1D } | undefined,
  epsilon: number,
): { affine: tf.Tensor2D; moments: tf.Tensor2D } {
  const mean = tf.mean(y, [0, 1, 2]);
  const variance = tf.mean(tf.square(tf.sub(y, mean)), [0, 1, 2]);
  const inverse = tf.rsqrt(tf.add(variance, epsilon));
  const scale = norm ? tf.mul(inverse, norm.gamma) : inverse;
  const centred = tf.mul(mean, scale);
  const shift = norm ? tf.sub(norm.beta, centred) : tf.neg(centred);
  return {
    affine: tf.stack([scale, shift]) as tf.Tensor2D,
    moments: tf.stack([mean, variance]) as tf.Tensor2D,
  };
}
