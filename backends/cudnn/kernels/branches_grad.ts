/**
 * Branches in CUDA, backward, opposite of ops/branches.ts. The gradients of a branch's affine pair become
 * coefficients (b, c) per channel, so that the gradient before its batch norm is dy + b y + c:
 *
 *     with N values a channel, s = scale, i = 1 / sqrt(var + eps), S and T the gradients of scale and shift:
 *     U = S - mean T;  dmean = -s T;  dvar = -gamma i^3 U / 2;  dgamma = i U;  dbeta = T
 *     b = 2 dvar / N;  c = dmean / N - mean b
 *
 * Kernels form that gradient as they read dy and y; only cuDNN gets it from memory. Depthwise results
 * are computed again, never kept. Convolutions add their gradients by the activated state into dx, which
 * is then masked in place; pools and the identity, which act on the state itself, are added after that.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import {
  type BranchesAttrs,
  type BranchSpec,
  type BranchTensors,
  sortGradientInputs,
} from "../../ops/branch_spec.ts";
import type { CudnnBackend } from "../backend.ts";
import { type ActivatedInput, activationGrad } from "./activation.ts";
import {
  type IncomingGradient,
  normGrads,
  type PendingNormGrad,
  storedGradient,
} from "./batch_norm.ts";
import { activatedInput, mixingWindow, pointwiseWindows } from "./branches.ts";
import { convolutionFilterGrad, convolutionInputGrad } from "./convolution.ts";
import { runDepthwise } from "./depthwise.ts";
import { depthwiseFilterGrad, depthwiseInputGrad } from "./depthwise_grad.ts";
import type { PointwiseWindow } from "./pointwise.ts";
import { pointwiseFilterGrad, pointwiseInputGrad } from "./pointwise_grad.ts";
import { poolGrad } from "./pool_grad.ts";
import { accumulate, PartialSums } from "./reduce.ts";
import { Scratch } from "./scratch.ts";

/** What the branches of a call share. */
interface Call {
  backend: CudnnBackend;
  scratch: Scratch;
  /** Gradients of filters and of the affine pair, whose parts are added at the end. */
  sums: PartialSums;
  attrs: BranchesAttrs;
  /** Inputs of the forward call. */
  forward: TensorInfo[];
  input: ActivatedInput;
  /** The gradient by x, and whether something has been written there. */
  dx: bigint | undefined;
  begun: boolean;
  /** Gradients by position among the forward's inputs. */
  results: Map<number, TensorInfo>;
}

/** Runs the gradient kernel; inputs are the forward's inputs, outputs, and gradients of outputs. */
export function branchesGradKernel(
  backend: CudnnBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: BranchesAttrs },
): TensorInfo[] {
  const { forward, branches } = sortGradientInputs(inputs, attrs);
  using scratch = new Scratch(backend);
  const results = new Map<number, TensorInfo>();
  const call: Call = {
    backend,
    scratch,
    sums: new PartialSums(backend, scratch),
    attrs,
    forward,
    input: activatedInput(backend, forward, attrs),
    dx: undefined,
    begun: false,
    results,
  };
  if (attrs.inputGradient) call.dx = gradientTensor(call, 0);
  const incoming = incomingGradients(call, branches);
  attrs.branches.forEach((spec, index) => {
    if (spec.filters.length > 0) convolutionBack(call, spec, incoming[index]);
  });
  if (call.dx && call.begun) activationBack(call, call.dx);
  attrs.branches.forEach((spec, index) => {
    if (spec.filters.length === 0) stateBack(call, spec, incoming[index]);
  });
  call.sums.flush();
  return [...results.keys()].sort((a, b) => a - b).map((index) => results.get(index)!);
}

/** A new tensor for the gradient by an input of the forward call. */
function gradientTensor({ backend, forward, results }: Call, index: number): bigint {
  const tensor = backend.allocate(forward[index].shape);
  results.set(index, tensor);
  return backend.address(tensor);
}

/** The gradients before the batch norms of all branches; their coefficients are scratch. */
function incomingGradients(call: Call, branches: BranchTensors[]): IncomingGradient[] {
  const norms: PendingNormGrad[] = [];
  const gradients = branches.map((tensors, index): IncomingGradient => {
    const { backend, attrs } = call, spec = attrs.branches[index];
    const norm = pendingNorm(call, spec, tensors);
    if (norm) norms.push(norm);
    const { address: y, form } = backend.results.stored(tensors.y);
    return {
      dy: backend.address(tensors.dy),
      y,
      form,
      coefficients: norm?.coefficients ?? 0n,
    };
  });
  normGrads(call.backend, norms);
  return gradients;
}

/** The gradient of a branch's batch norm, or `undefined` where it has none that counts. */
function pendingNorm(
  call: Call,
  spec: BranchSpec,
  { y, affine, moments, dAffine }: BranchTensors,
): PendingNormGrad | undefined {
  const { backend, scratch, attrs, forward } = call, channels = spec.output[2];
  const wanted = (at: number) => at >= 0 && attrs.filterGradient;
  if (!affine || !moments || !dAffine) {
    for (const at of [spec.gamma, spec.beta].filter(wanted)) {
      accumulate(backend, { from: 0n, to: gradientTensor(call, at), items: channels, add: false });
    }
    return undefined;
  }
  return {
    affine: backend.address(affine),
    moments: backend.address(moments),
    dAffine: backend.address(dAffine),
    gamma: spec.gamma < 0 ? 0n : backend.address(forward[spec.gamma]),
    coefficients: scratch.floats(2 * channels),
    dGamma: wanted(spec.gamma) ? gradientTensor(call, spec.gamma) : 0n,
    dBeta: wanted(spec.beta) ? gradientTensor(call, spec.beta) : 0n,
    channels,
    count: util.sizeFromShape(y.shape) / channels,
    epsilon: attrs.epsilon,
  };
}

function convolutionBack(call: Call, spec: BranchSpec, incoming: IncomingGradient): void {
  const windows = pointwiseWindows(spec);
  if (spec.kind === "separable") separableBack(call, spec, incoming);
  else if (windows) {
    windows.forEach((window, at) => pointwiseBack(call, spec.filters[at], { incoming, window }));
  } else denseBack(call, spec, incoming);
}

function separableBack(call: Call, spec: BranchSpec, incoming: IncomingGradient): void {
  const { backend, scratch, sums, attrs, forward, input, dx } = call;
  const [depthwise, pointwise] = spec.filters, [images, , , channels] = input.shape;
  const shape = [images, spec.output[0], spec.output[1], channels];
  const window = mixingWindow(spec), filter = backend.address(forward[depthwise]);
  // Holds the depthwise result, then the gradient by it.
  const middle = scratch.floats(util.sizeFromShape(shape));
  if (attrs.filterGradient) {
    runDepthwise(backend, { input, filter, y: middle, window: spec });
    pointwiseFilterGrad(backend, sums, {
      input: { x: middle, affine: 0n, relu: false, shape },
      incoming,
      to: gradientTensor(call, pointwise),
      window,
    });
  }
  pointwiseInputGrad(backend, {
    incoming,
    filter: backend.address(forward[pointwise]),
    dx: middle,
    window,
    shape,
    add: false,
  });
  if (attrs.filterGradient) {
    const to = gradientTensor(call, depthwise);
    depthwiseFilterGrad(backend, sums, { input, g: middle, to, window: spec });
  }
  if (dx) {
    const add = call.begun;
    depthwiseInputGrad(backend, { g: middle, filter, dx, window: spec, shape: input.shape, add });
    call.begun = true;
  }
  scratch.release(middle);
}

function pointwiseBack(
  call: Call,
  index: number,
  { incoming, window }: { incoming: IncomingGradient; window: PointwiseWindow },
): void {
  const { backend, sums, attrs, forward, input, dx, begun: add } = call;
  if (attrs.filterGradient) {
    const to = gradientTensor(call, index);
    pointwiseFilterGrad(backend, sums, { input, incoming, to, window });
  }
  if (!dx) return;
  const filter = backend.address(forward[index]);
  pointwiseInputGrad(backend, { incoming, filter, dx, window, shape: input.shape, add });
  call.begun = true;
}

function denseBack(call: Call, spec: BranchSpec, incoming: IncomingGradient): void {
  const { backend, scratch, attrs, forward, input, dx, begun: add } = call;
  const [index] = spec.filters, channels = spec.output[2];
  const items = input.shape[0] * util.sizeFromShape(spec.output);
  const g = storedGradient(backend, scratch, { incoming, items, channels });
  if (attrs.filterGradient) {
    const to = gradientTensor(call, index);
    convolutionFilterGrad(backend, scratch, { input, g, to, window: spec });
  }
  if (dx) {
    const filter = backend.address(forward[index]), { shape } = input;
    convolutionInputGrad(backend, scratch, { g, filter, dx, window: spec, shape, add });
    call.begun = true;
  }
  scratch.release(g);
}

/** From the gradient by the activated state to that by the state, in place, and by scale and shift. */
function activationBack(call: Call, dx: bigint): void {
  const { backend, sums, attrs, input } = call;
  const dAffine = attrs.hasAffine ? gradientTensor(call, 1) : 0n;
  activationGrad(backend, sums, { input, dx, dAffine });
}

/** A pool or the identity. */
function stateBack(call: Call, spec: BranchSpec, incoming: IncomingGradient): void {
  const { backend, scratch, input: { x, shape }, dx, begun: add } = call;
  if (!dx) return;
  if (spec.kind === "identity") {
    const items = util.sizeFromShape([...shape]);
    accumulate(backend, { from: incoming.dy, to: dx, items, add });
  } else poolGrad(backend, scratch, { x, incoming, dx, spec, shape, add });
  call.begun = true;
}
