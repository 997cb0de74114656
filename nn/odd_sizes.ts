/**
 * Branches of images whose sides are odd, which a FactorizedReduce cannot halve: it reads a row or column
 * of zeros below or right of them, so that its result has `ceil(side / 2)` pixels, as those of all other
 * operations of stride 2. The authors' networks meet even sides alone.
 */

import * as tf from "@tensorflow/tfjs-core";
import {
  type Branch,
  branches,
  type BranchesOptions,
  type BranchOutput,
} from "../backends/ops/branches.ts";
import { normalisedSum } from "../backends/ops/normalised_sum.ts";

/**
 * `branches` of an image of any size.
 *
 * @param x `[N, H, W, C]` float32.
 * @returns One {@linkcode BranchOutput} per branch, in order. The caller disposes, or tidies.
 */
export function branchesOfAnySize(
  x: tf.Tensor4D,
  list: readonly Branch[],
  options: BranchesOptions,
): BranchOutput[] {
  const isReduce = ({ kind }: Branch) => kind === "factorized_reduce";
  const reduces = list.filter(isReduce), others = list.filter((branch) => !isReduce(branch));
  const even = x.shape[1] % 2 === 0 && x.shape[2] % 2 === 0;
  if (even || reduces.length === 0) return branches(x, [...list], options);
  // A lazy norm's shift must not reach the zeros.
  const state = options.affine ? normalisedSum([{ x, affine: options.affine }]) : x;
  const reduced = branches(padToEven(state), reduces, { ...options, affine: undefined });
  const rest = others.length === 0 ? [] : branches(x, others, options);
  return list.map((branch) => (isReduce(branch) ? reduced : rest).shift()!);
}

/** Appends a row or column of zeros along each odd side. */
function padToEven(x: tf.Tensor4D): tf.Tensor4D {
  return [1, 2].reduce((image, axis) => {
    if (image.shape[axis] % 2 === 0) return image;
    const shape = image.shape.with(axis, 1) as typeof image.shape;
    return tf.concat([image, tf.zeros(shape)], axis);
  }, x);
}
