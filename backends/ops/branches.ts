/**
 * All first operations on one state of a cell, in one op: separable units, pointwise and dense
 * convolutions, FactorizedReduce, pools, and the identity, each with the batch statistics of its
 * result, so that the batch norm behind it never has to be stored.
 *
 *     a    = x | max(x, 0) | max(scale x + shift, 0)                    (the activation)
 *     y_b  = branch_b(a)                                                (pools and identity: of x)
 *     affine_b = [gamma / sqrt(var_b + eps), beta - mean_b scale_b]     (rows: scale, shift)
 *
 * A consumer takes `(y_b, affine_b)` for `batch_norm(y_b)`. One op for all branches of a state lets a
 * kernel activate and stage an image once and add all their gradients into one; a unit alone is a list
 * of one branch. Source: the search space of P-DARTS (Chen et al., ICCV 2019, section 3.1).
 */

import type * as tf from "@tensorflow/tfjs-core";
import { checkWindow } from "../geometry/windows.ts";
import {
  type BranchesAttrs,
  type BranchSpec,
  flattenBranches,
  outputChannels,
} from "./branch_spec.ts";
import { composeBranches } from "./branches_composition.ts";
import { hasKernel, registerFusedGradient, runFused } from "./fused.ts";

/** Name of the forward kernel; its gradient kernel is {@linkcode BRANCHES_GRAD}. */
export const BRANCHES = "PdartsBranches";
/** Name of the gradient kernel. */
export const BRANCHES_GRAD = "PdartsBranchesGrad";

/** Optional affine parameters of the batch norm behind a branch, each `[M]` float32. */
export interface BranchNorm {
  /** Scale. */
  gamma: tf.Tensor1D;
  /** Shift. */
  beta: tf.Tensor1D;
}

/** What branches that end in a batch norm have in common. */
export interface NormedBranch {
  /** Compute batch statistics of the result and yield `affine` and `moments`; default true. */
  statistics?: boolean;
  /** Its affine parameters; without them it only normalises. */
  norm?: BranchNorm;
}

/** Depthwise `[k, k, C, 1]` (odd k; stride, dilation 1 or 2), then pointwise `[1, 1, C, M]`. */
export interface SeparableBranch extends NormedBranch {
  /** Which branch. */
  kind: "separable";
  /** `[k, k, C, 1]`. */
  depthwise: tf.Tensor4D;
  /** `[1, 1, C, M]`. */
  pointwise: tf.Tensor4D;
  /** 1 or 2. */
  stride: number;
  /** 1 or 2, of the depthwise window. */
  dilation: number;
}

/** A 1x1 convolution, filter `[1, 1, C, M]`, stride 1. */
export interface PointwiseBranch extends NormedBranch {
  /** Which branch. */
  kind: "pointwise";
  /** `[1, 1, C, M]`. */
  filter: tf.Tensor4D;
}

/** Two 1x1 convolutions of stride 2, `[1, 1, C, M / 2]` each, the second one pixel down and right. */
export interface FactorizedReduceBranch extends NormedBranch {
  /** Which branch. */
  kind: "factorized_reduce";
  /** `[1, 1, C, M / 2]` each. */
  filters: [tf.Tensor4D, tf.Tensor4D];
}

/** A dense k x k convolution, filter `[k, k, C, M]`, odd k, padding (k - 1) / 2. */
export interface ConvolutionBranch extends NormedBranch {
  /** Which branch. */
  kind: "convolution";
  /** `[k, k, C, M]`. */
  filter: tf.Tensor4D;
  /** 1 or 2. */
  stride: number;
}

/** A 3x3 pool with padding 1; an average leaves the padding out of the count. Acts on x itself. */
export interface PoolBranch {
  /** Which pool. */
  kind: "max_pool" | "avg_pool";
  /** 1 or 2. */
  stride: number;
  /** As of {@linkcode NormedBranch}. */
  statistics?: boolean;
}

/** x itself, sharing its memory; its gradient joins those of the other branches. */
export interface IdentityBranch {
  /** Which branch. */
  kind: "identity";
}

/** A branch with filters. */
export type ConvolutionalBranch =
  | SeparableBranch
  | PointwiseBranch
  | FactorizedReduceBranch
  | ConvolutionBranch;

/** One first operation on a state. */
export type Branch =
  | ConvolutionalBranch
  | PoolBranch
  | IdentityBranch;

/** What a branch yields; `affine` and `moments` only with statistics. */
export type BranchOutput = {
  /** `[N, H', W', M]` float32, before batch norm. */
  y: tf.Tensor4D;
  /** `[2, M]`: scale and shift such that `scale y + shift` is the batch norm of y. */
  affine?: tf.Tensor2D;
  /** `[2, M]`: batch mean and biased variance. No gradient flows through it. */
  moments?: tf.Tensor2D;
};

/** What all branches of a call share. */
export interface BranchesOptions {
  /** Applied before the convolutions; `affine` alone means ReLU of scale and shift. Default "none". */
  activation?: "none" | "relu";
  /** `[2, C]` scale and shift applied to x before the ReLU: a lazy batch norm. */
  affine?: tf.Tensor2D;
  /** Of the batch norms; default 1e-5. */
  epsilon?: number;
  /** Whether x (and affine) gets a gradient; default true. */
  inputGradient?: boolean;
  /** Whether filters, gamma and beta get gradients; default true. */
  filterGradient?: boolean;
}

/**
 * Applies branches to a state.
 *
 * @param x `[N, H, W, C]` float32.
 * @param branches At least one; pools and identity are refused together with `affine`.
 * @returns One {@linkcode BranchOutput} per branch, in order. The caller disposes.
 * @throws {TypeError} If x is not a rank-4 float32 tensor, or a branch cannot follow `affine`.
 * @throws {RangeError} If a filter's channels, a window or an odd size under FactorizedReduce do not fit.
 */
export function branches(
  x: tf.Tensor4D,
  branches: Branch[],
  options: BranchesOptions = {},
): BranchOutput[] {
  checkBranches(x, branches, options);
  if (!hasKernel(BRANCHES)) return composeBranches(x, branches, options);
  const { inputs, attrs } = flattenBranches(x, branches, options);
  const outputs = runFused(BRANCHES, { inputs, attrs });
  let next = 0;
  return attrs.branches.map((spec) => {
    const y = outputs[next++] as tf.Tensor4D;
    if (!spec.statistics) return { y };
    return { y, affine: outputs[next++] as tf.Tensor2D, moments: outputs[next++] as tf.Tensor2D };
  });
}

function checkBranches(x: tf.Tensor4D, branches: Branch[], { affine }: BranchesOptions): void {
  if (x.rank !== 4 || x.dtype !== "float32") {
    throw new TypeError(
      `Cannot run branches: want float32 [N, H, W, C], got ${x.dtype} [${x.shape}]`,
    );
  }
  const channels = x.shape[3];
  if (affine && (affine.rank !== 2 || affine.shape[0] !== 2 || affine.shape[1] !== channels)) {
    throw new RangeError(
      `Cannot run branches: want affine [2, ${channels}], got [${affine.shape}]`,
    );
  }
  if (branches.length === 0) throw new RangeError("Cannot run branches: got none");
  for (const branch of branches) {
    const { kind } = branch;
    if (kind === "identity" || kind === "max_pool" || kind === "avg_pool") {
      if (affine) throw new TypeError(`Cannot run ${kind} after an affine activation`);
      const stride = kind === "identity" ? 1 : (branch as PoolBranch).stride;
      checkWindow(kind, { kernel: 3, stride, dilation: 1 });
    } else checkFilters(x, branch as ConvolutionalBranch);
  }
}

function checkFilters(
  x: tf.Tensor4D,
  branch: ConvolutionalBranch,
): void {
  const [, height, width, channels] = x.shape;
  const want = (filter: tf.Tensor4D, shape: [number, number, number, number]) => {
    if (filter.dtype !== "float32") {
      throw new TypeError(`Cannot run ${branch.kind}: want a float32 filter, got ${filter.dtype}`);
    }
    if (filter.rank !== 4 || filter.shape.some((size, axis) => size !== shape[axis])) {
      throw new RangeError(
        `Cannot run ${branch.kind}: want a filter [${shape}], got [${filter.shape}]`,
      );
    }
  };
  if (branch.kind === "separable") {
    const kernel = branch.depthwise.shape[0];
    checkWindow("separable", { kernel, stride: branch.stride, dilation: branch.dilation });
    want(branch.depthwise, [kernel, kernel, channels, 1]);
    want(branch.pointwise, [1, 1, channels, branch.pointwise.shape[3]]);
  } else if (branch.kind === "pointwise") {
    want(branch.filter, [1, 1, channels, branch.filter.shape[3]]);
  } else if (branch.kind === "convolution") {
    const kernel = branch.filter.shape[0];
    checkWindow("convolution", { kernel, stride: branch.stride, dilation: 1 });
    want(branch.filter, [kernel, kernel, channels, branch.filter.shape[3]]);
  } else {
    if (height % 2 !== 0 || width % 2 !== 0) {
      throw new RangeError(
        `Cannot run factorized_reduce: want even height and width, got ${height} x ${width}`,
      );
    }
    for (const filter of branch.filters) {
      want(filter, [1, 1, channels, branch.filters[0].shape[3]]);
    }
  }
  if (branch.norm) checkNorm(branch.kind, branch.norm, outputChannels(branch, channels));
}

function checkNorm(op: string, { gamma, beta }: BranchNorm, channels: number): void {
  if (gamma.size !== channels || beta.size !== channels) {
    throw new RangeError(
      `Cannot run ${op}: want gamma and beta [${channels}], got [${gamma.shape}] and [${beta.shape}]`,
    );
  }
}

/**
 * The gradient kernel takes [inputs..., outputs..., dys...] of the forward, and yields gradients in the
 * order of the inputs, leaving out x and affine without `inputGradient`, the rest without
 * `filterGradient`.
 */
registerFusedGradient<BranchesAttrs>(BRANCHES, ({ dys, inputs, outputs, attrs }) => {
  const results = runFused(BRANCHES_GRAD, { inputs: [...inputs, ...outputs, ...dys], attrs });
  const ofState = attrs.hasAffine ? 2 : 1;
  let next = 0;
  return inputs.map((_, index) =>
    (index < ofState ? attrs.inputGradient : attrs.filterGradient) ? results[next++] : undefined
  );
});

export type { BranchesAttrs, BranchSpec };
