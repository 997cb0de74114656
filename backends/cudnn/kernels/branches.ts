/**
 * Branches in CUDA, forward: each branch in one to three launches, then the batch norms behind all.
 * Pointwise convolutions leave the moments of their results as they make them; those of pools and
 * of cuDNN's convolutions take a launch of their own. Opposite of ops/branches.ts.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { BranchesAttrs, BranchSpec } from "../../ops/branch_spec.ts";
import type { CudnnBackend } from "../backend.ts";
import type { ActivatedInput } from "./activation.ts";
import { batchNorms, type PartialMoments, partialMoments, type PendingNorm } from "./batch_norm.ts";
import { runConvolution } from "./convolution.ts";
import { runDepthwise } from "./depthwise.ts";
import { pointwiseMoments, type PointwiseWindow, runPointwise } from "./pointwise.ts";
import { runPool } from "./pool.ts";
import { Scratch } from "./scratch.ts";
import type { StoredValues } from "./stored.ts";

/** The tensors of a call. */
interface Call {
  inputs: TensorInfo[];
  attrs: BranchesAttrs;
}

/** Runs the forward kernel: per branch y, then affine and moments with statistics. */
export function branchesKernel(backend: CudnnBackend, { inputs, attrs }: Call): TensorInfo[] {
  const [x] = inputs, { epsilon } = attrs;
  using scratch = new Scratch(backend);
  const input = activatedInput(backend, inputs, attrs), norms: PendingNorm[] = [];
  const parameter = (index: number) => index < 0 ? 0n : backend.address(inputs[index]);
  const outputs = attrs.branches.flatMap((spec) => {
    if (spec.kind === "identity") return [backend.share(x)];
    const y = backend.results.allocate([x.shape[0], ...spec.output]);
    const filters = spec.filters.map(parameter);
    const to = backend.results.stored(y);
    const made = runBranch(backend, scratch, { input, filters, y: to, spec });
    if (!spec.statistics) return [y];
    const channels = spec.output[2];
    const affine = backend.allocate([2, channels]), moments = backend.allocate([2, channels]);
    norms.push({
      of: made ?? partialMoments(backend, scratch, y),
      pixels: util.sizeFromShape(y.shape) / channels,
      channels,
      gamma: parameter(spec.gamma),
      beta: parameter(spec.beta),
      epsilon,
      affine: backend.address(affine),
      moments: backend.address(moments),
    });
    return [y, affine, moments];
  });
  batchNorms(backend, norms);
  return outputs;
}

/** The state that a call's convolutions read: separable ones alone read bf16. */
export function activatedInput(
  backend: CudnnBackend,
  [x, affine]: TensorInfo[],
  { relu, hasAffine, branches }: BranchesAttrs,
): ActivatedInput {
  const separable = branches.every(({ kind }) => kind === "separable");
  const { address, form } = separable
    ? backend.results.stored(x)
    : { address: backend.address(x), form: "floats" as const };
  return {
    x: address,
    form,
    affine: hasAffine ? backend.address(affine) : 0n,
    relu,
    shape: x.shape,
  };
}

/** The windows of a branch's pointwise convolutions of its input, one a filter; `undefined` for others. */
export function pointwiseWindows(spec: BranchSpec): PointwiseWindow[] | undefined {
  const { kind, kernel, stride, filters, output: [height, width, rowChannels] } = spec;
  if (kind === "separable" || kernel > 1 || filters.length === 0) return undefined;
  const outChannels = rowChannels / filters.length;
  return filters.map((_, offset) => ({
    stride,
    offset,
    output: [height, width],
    outChannels,
    rowChannels,
    firstChannel: offset * outChannels,
  }));
}

/** The window of a separable branch's pointwise part, which reads the depthwise result. */
export function mixingWindow({ output: [height, width, channels] }: BranchSpec): PointwiseWindow {
  return {
    stride: 1,
    offset: 0,
    output: [height, width],
    outChannels: channels,
    rowChannels: channels,
    firstChannel: 0,
  };
}

/** A branch, with its tensors by address. */
interface BranchCall {
  input: ActivatedInput;
  filters: bigint[];
  y: StoredValues;
  spec: BranchSpec;
}

/** Computes y, and its moments where that costs nothing. */
function runBranch(
  backend: CudnnBackend,
  scratch: Scratch,
  { input, filters, y, spec }: BranchCall,
): PartialMoments | undefined {
  const { shape } = input, [images, , , channels] = shape, [outHeight, outWidth] = spec.output;
  if (spec.kind === "max_pool" || spec.kind === "avg_pool") {
    runPool(backend, { x: input.x, y, spec, shape });
    return undefined;
  }
  const windows = pointwiseWindows(spec);
  if (spec.kind !== "separable" && !windows) {
    runConvolution(backend, scratch, { input, filter: filters[0], y, window: spec });
    return undefined;
  }
  if (windows) {
    const moments = spec.statistics ? pointwiseMoments(scratch, images, windows[0]) : undefined;
    const partials = moments?.partials ?? 0n;
    windows.forEach((window, at) =>
      runPointwise(backend, { input, filter: filters[at], y, window, partials })
    );
    return moments;
  }
  const [depthwise, pointwise] = filters, window = mixingWindow(spec);
  const middle = [images, outHeight, outWidth, channels];
  const spatial = scratch.floats(util.sizeFromShape(middle));
  runDepthwise(backend, { input, filter: depthwise, y: spatial, window: spec });
  const moments = spec.statistics ? pointwiseMoments(scratch, images, window) : undefined;
  runPointwise(backend, {
    input: { x: spatial, affine: 0n, relu: false, shape: middle },
    filter: pointwise,
    y,
    window,
    partials: moments?.partials ?? 0n,
  });
  scratch.release(spatial);
  return moments;
}
