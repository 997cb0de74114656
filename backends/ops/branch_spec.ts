/**
 * The flat form in which a kernel receives branches: an array of input tensors, and per branch a record
 * of plain values with the positions of its tensors in that array.
 */

import type * as tf from "@tensorflow/tfjs-core";
import { type Window, windowOutput } from "../geometry/windows.ts";
import type { Branch, BranchesOptions } from "./branches.ts";

/** One branch as plain values. */
export interface BranchSpec {
  kind: Branch["kind"];
  /** Window of a separable unit's depthwise part, a convolution or a pool; 1, 1, 1 otherwise. */
  kernel: number;
  stride: number;
  dilation: number;
  /** Positions of the filters among the kernel's inputs. */
  filters: number[];
  /** Positions of gamma and beta among the kernel's inputs, or -1. */
  gamma: number;
  beta: number;
  statistics: boolean;
  /** `[height, width, channels]` of the result. */
  output: [number, number, number];
}

/** Attributes of the branches kernels. Input 0 is x, input 1 the affine pair where there is one. */
export interface BranchesAttrs {
  branches: BranchSpec[];
  relu: boolean;
  hasAffine: boolean;
  epsilon: number;
  inputGradient: boolean;
  filterGradient: boolean;
}

/** Outputs of the forward call of one branch, and their gradients; those of its norm with statistics. */
export interface BranchTensors {
  y: tf.TensorInfo;
  affine?: tf.TensorInfo;
  moments?: tf.TensorInfo;
  dy: tf.TensorInfo;
  dAffine?: tf.TensorInfo;
}

/** Sorts the inputs of the gradient kernel: the forward's inputs, its outputs, gradients of outputs. */
export function sortGradientInputs(
  inputs: tf.TensorInfo[],
  attrs: BranchesAttrs,
): { forward: tf.TensorInfo[]; branches: BranchTensors[] } {
  const outputs = attrs.branches.reduce((n, spec) => n + (spec.statistics ? 3 : 1), 0);
  const count = inputs.length - 2 * outputs;
  let next = count;
  const branches = attrs.branches.map((spec): BranchTensors => {
    const at = next, gradient = at + outputs;
    next += spec.statistics ? 3 : 1;
    return spec.statistics
      ? {
        y: inputs[at],
        affine: inputs[at + 1],
        moments: inputs[at + 2],
        dy: inputs[gradient],
        dAffine: inputs[gradient + 1],
      }
      : { y: inputs[at], dy: inputs[gradient] };
  });
  return { forward: inputs.slice(0, count), branches };
}

/** Lists a call's tensors and describes its branches by position. */
export function flattenBranches(
  x: tf.Tensor4D,
  branches: Branch[],
  options: BranchesOptions,
): { inputs: tf.Tensor[]; attrs: BranchesAttrs } {
  const inputs: tf.Tensor[] = [x];
  if (options.affine) inputs.push(options.affine);
  const add = (tensor: tf.Tensor) => inputs.push(tensor) - 1;
  const specs = branches.map((branch): BranchSpec => {
    const filters = filtersOf(branch);
    const window = windowOf(branch);
    const norm = "norm" in branch ? branch.norm : undefined;
    return {
      kind: branch.kind,
      ...window,
      filters: filters.map(add),
      gamma: norm ? add(norm.gamma) : -1,
      beta: norm ? add(norm.beta) : -1,
      statistics: branch.kind !== "identity" && (branch.statistics ?? true),
      output: [
        windowOutput(x.shape[1], window),
        windowOutput(x.shape[2], window),
        outputChannels(branch, x.shape[3]),
      ],
    };
  });
  const attrs: BranchesAttrs = {
    branches: specs,
    relu: options.affine !== undefined || options.activation === "relu",
    hasAffine: options.affine !== undefined,
    epsilon: options.epsilon ?? 1e-5,
    inputGradient: options.inputGradient ?? true,
    filterGradient: options.filterGradient ?? true,
  };
  return { inputs, attrs };
}

function filtersOf(branch: Branch): tf.Tensor4D[] {
  switch (branch.kind) {
    case "separable":
      return [branch.depthwise, branch.pointwise];
    case "pointwise":
    case "convolution":
      return [branch.filter];
    case "factorized_reduce":
      return branch.filters;
    default:
      return [];
  }
}

function windowOf(branch: Branch): Window {
  switch (branch.kind) {
    case "separable":
      return {
        kernel: branch.depthwise.shape[0],
        stride: branch.stride,
        dilation: branch.dilation,
      };
    case "convolution":
      return { kernel: branch.filter.shape[0], stride: branch.stride, dilation: 1 };
    case "max_pool":
    case "avg_pool":
      return { kernel: 3, stride: branch.stride, dilation: 1 };
    case "factorized_reduce":
      return { kernel: 1, stride: 2, dilation: 1 };
    default:
      return { kernel: 1, stride: 1, dilation: 1 };
  }
}

/** Channels of a branch's result, for x of `channels`. */
export function outputChannels(branch: Branch, channels: number): number {
  switch (branch.kind) {
    case "separable":
      return branch.pointwise.shape[3];
    case "pointwise":
    case "convolution":
      return branch.filter.shape[3];
    case "factorized_reduce":
      return 2 * branch.filters[0].shape[3];
    default:
      return channels;
  }
}
