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
import { type IncomingGradient, normGrad, storedGradient } from "./batch_norm.ts";
import { activatedInput, mixingWindow, pointwiseWindows } from "./branches.ts";
import { convolutionFilterGrad, convolutionInputGrad } from "./convolution.ts";
import { runDepthwise } from "./depthwise.ts";
import { depthwiseFilterGrad, depthwiseInputGrad } from "./depthwise_grad.ts";
import type { PointwiseWindow } from "./pointwise.ts";
import { pointwiseFilterGrad, pointwiseInputGrad } from "./pointwise_grad.ts";
import { poolGrad } from "./pool_grad.ts";
import { accumulate } from "./reduce.ts";
import { Scratch } from "./scratch.ts";

/** What the branches of a call share. */
interface Call {
  backend: CudnnBackend;
  scratch: Scratch;
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
    attrs,
    forward,
    input: activatedInput(backend, forward, attrs),
    dx: undefined,
    begun: false,
    results,
  };
  if (attrs.inputGradient) call.dx = gradientTensor(call, 0);
  attrs.branches.forEach((spec, index) => {
    if (spec.filters.length > 0) convolutionBack(call, spec, branches[index]);
  });
  if (call.dx && call.begun) activationBack(call, call.dx);
  attrs.branches.forEach((spec, index) => {
    if (spec.filters.length === 0) stateBack(call, spec, branches[index]);
  });
  return [...results.keys()].sort((a, b) => a - b).map((index) => results.get(index)!);
}

/** A new tensor for the gradient by an input of the forward call. */
function gradientTensor({ backend, forward, results }: Call, index: number): bigint {
  const tensor = backend.allocate(forward[index].shape);
  results.set(index, tensor);
  return backend.address(tensor);
}

/** The gradient before a branch's batch norm; its coefficients are scratch. */
function incomingGradient(call: Call, spec: BranchSpec, tensors: BranchTensors): IncomingGradient {
  const { backend, scratch, attrs, forward } = call, { affine, moments, dAffine } = tensors;
  const gradients = { dy: backend.address(tensors.dy), y: backend.address(tensors.y) };
  const wanted = (at: number) => at >= 0 && attrs.filterGradient;
  if (!affine || !moments || !dAffine) {
    for (const at of [spec.gamma, spec.beta].filter(wanted)) {
      const to = gradientTensor(call, at), items = spec.output[2];
      accumulate(backend, { from: 0n, to, items, add: false });
    }
    return { ...gradients, coefficients: 0n };
  }
  const channels = spec.output[2], coefficients = scratch.floats(2 * channels);
  normGrad(backend, {
    affine: backend.address(affine),
    moments: backend.address(moments),
    dAffine: backend.address(dAffine),
    gamma: spec.gamma < 0 ? 0n : backend.address(forward[spec.gamma]),
    coefficients,
    dGamma: wanted(spec.gamma) ? gradientTensor(call, spec.gamma) : 0n,
    dBeta: wanted(spec.beta) ? gradientTensor(call, spec.beta) : 0n,
    channels,
    count: util.sizeFromShape(tensors.y.shape) / channels,
    epsilon: attrs.epsilon,
  });
  return { ...gradients, coefficients };
}

function convolutionBack(call: Call, spec: BranchSpec, tensors: BranchTensors): void {
  const incoming = incomingGradient(call, spec, tensors), windows = pointwiseWindows(spec);
  if (spec.kind === "separable") separableBack(call, spec, incoming);
  else if (windows) {
    windows.forEach((window, at) => pointwiseBack(call, spec.filters[at], { incoming, window }));
  } else denseBack(call, spec, incoming);
  call.scratch.release(incoming.coefficients);
}

function separableBack(call: Call, spec: BranchSpec, incoming: IncomingGradient): void {
  const { backend, scratch, attrs, forward, input, dx } = call;
  const [depthwise, pointwise] = spec.filters, [images, , , channels] = input.shape;
  const shape = [images, spec.output[0], spec.output[1], channels];
  const window = mixingWindow(spec), filter = backend.address(forward[depthwise]);
  // Holds the depthwise result, then the gradient by it.
  const middle = scratch.floats(util.sizeFromShape(shape));
  if (attrs.filterGradient) {
    runDepthwise(backend, { input, filter, y: middle, window: spec });
    pointwiseFilterGrad(backend, scratch, {
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
    depthwiseFilterGrad(backend, scratch, { input, g: middle, to, window: spec });
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
  const { backend, scratch, attrs, forward, input, dx, begun: add } = call;
  if (attrs.filterGradient) {
    const to = gradientTensor(call, index);
    pointwiseFilterGrad(backend, scratch, { input, incoming, to, window });
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
  const { backend, scratch, attrs, input } = call;
  const dAffine = attrs.hasAffine ? gradientTensor(call, 1) : 0n;
  activationGrad(backend, scratch, { input, dx, dAffine });
}

/** A pool or the identity. */
function stateBack(call: Call, spec: BranchSpec, tensors: BranchTensors): void {
  const { backend, scratch, input: { x, shape }, dx, begun: add } = call;
  if (!dx) return;
  const incoming = incomingGradient(call, spec, tensors);
  if (spec.kind === "identity") {
    const items = util.sizeFromShape([...shape]);
    accumulate(backend, { from: incoming.dy, to: dx, items, add });
  } else poolGrad(backend, scratch, { x, incoming, dx, spec, shape, add });
  scratch.release(incoming.coefficients);
  call.begun = true;
}
