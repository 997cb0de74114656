/** The mean over height and width, `[N, H, W, C]` to `[N, C]`, in front of the classifier. */

import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, registerFusedGradient, runFused } from "./fused.ts";

/** Name of the forward kernel; its gradient kernel is {@linkcode GLOBAL_AVERAGE_POOL_GRAD}. */
export const GLOBAL_AVERAGE_POOL = "PdartsGlobalAveragePool";
export const GLOBAL_AVERAGE_POOL_GRAD = "PdartsGlobalAveragePoolGrad";

/** Attributes of the gradient kernel. */
export interface GlobalAveragePoolGradAttrs {
  /** `[N, H, W, C]` of the forward's input. */
  shape: number[];
}

/**
 * Averages each channel over an image.
 *
 * @param x `[N, H, W, C]` float32.
 * @returns `[N, C]` float32. The caller disposes.
 * @throws {TypeError} If x is not a rank-4 float32 tensor.
 */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor2D {
  if (x.rank !== 4 || x.dtype !== "float32") {
    throw new TypeError(
      `Cannot run globalAveragePool: want float32 [N, H, W, C], got ${x.dtype} [${x.shape}]`,
    );
  }
  if (!hasKernel(GLOBAL_AVERAGE_POOL)) return tf.mean(x, [1, 2]) as tf.Tensor2D;
  return runFused(GLOBAL_AVERAGE_POOL, { inputs: [x], attrs: {} })[0] as tf.Tensor2D;
}

registerFusedGradient(GLOBAL_AVERAGE_POOL, ({ dys, inputs }) => {
  const attrs: GlobalAveragePoolGradAttrs = { shape: inputs[0].shape };
  return runFused(GLOBAL_AVERAGE_POOL_GRAD, { inputs: [dys[0]], attrs });
});
