/**
 * The running mean and variance of every batch norm of a network, updated at once.
 *
 *     running = (1 - momentum) running + momentum [mean, variance n / (n - 1)]
 *
 * as torch.nn.BatchNorm2d does: the variance kept is the unbiased one.
 */

import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runFused } from "./fused.ts";

/** Name of the kernel. Inputs: all running `[2, C]`, then all moments `[2, C]`; outputs: the new ones. */
export const RUNNING_STATISTICS = "PdartsRunningStatistics";

/** Attributes of the kernel. */
export interface RunningStatisticsAttrs {
  momentum: number;
  /** Per batch norm: values per channel in the batch, N H W. */
  counts: number[];
}

/**
 * Computes the next running statistics.
 *
 * @param running Per batch norm `[2, C]`: running mean and unbiased variance.
 * @param moments Per batch norm `[2, C]`: batch mean and biased variance.
 * @returns New `[2, C]` tensors; the caller disposes.
 * @throws {RangeError} If the lists or two of their tensors differ in size, or a count is below 1.
 */
export function runningStatistics(
  running: tf.Tensor2D[],
  moments: tf.Tensor2D[],
  { momentum = 0.1, counts }: { momentum?: number; counts: number[] },
): tf.Tensor2D[] {
  if (running.length !== moments.length || running.length !== counts.length) {
    throw new RangeError(
      `Cannot update running statistics: got ${running.length} running, ${moments.length} moments ` +
        `and ${counts.length} counts`,
    );
  }
  const short = counts.find((count) => !(count >= 1));
  if (short !== undefined) {
    throw new RangeError(
      `Cannot update running statistics: want a count of at least 1, got ${short}`,
    );
  }
  running.forEach((old, index) => {
    if (old.size !== moments[index].size) {
      throw new RangeError(
        `Cannot update running statistics: want moments [${old.shape}], ` +
          `got [${moments[index].shape}]`,
      );
    }
  });
  const attrs: RunningStatisticsAttrs = { momentum, counts };
  if (hasKernel(RUNNING_STATISTICS)) {
    return runFused(RUNNING_STATISTICS, {
      inputs: [...running, ...moments],
      attrs,
    }) as tf.Tensor2D[];
  }
  return running.map((old, index) =>
    tf.tidy(() => {
      const unbiased = counts[index] / Math.max(1, counts[index] - 1);
      const target = tf.mul(moments[index], tf.tensor2d([1, unbiased], [2, 1]));
      return tf.add(tf.mul(old, 1 - momentum), tf.mul(target, momentum)) as tf.Tensor2D;
    })
  );
}
