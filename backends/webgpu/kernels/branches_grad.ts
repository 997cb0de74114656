/**
 * Branches in WGSL, backward, opposite of ops/branches.ts. The gradients of a branch's affine pair become
 * coefficients (b, c) per channel, so that the gradient before its batch norm is dy + b y + c:
 *
 *     with N values a channel, s = scale, i = 1 / sqrt(var + eps), S and T the gradients of scale and shift:
 *     U = S - mean T;  dmean = -s T;  dvar = -gamma i^3 U / 2;  dgamma = i U;  dbeta = T
 *     b = 2 dvar / N;  c = dmean / N - mean b
 *
 * Depthwise results are computed again, never kept. Convolutions add their gradients by the activated
 * state into dx, which is then masked in place; pools and the identity, which act on the state itself,
 * are added after that.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { windowPadding } from "../../geometry/windows.ts";
import {
  type BranchesAttrs,
  type BranchSpec,
  type BranchTensors,
  sortGradientInputs,
} from "../../ops/branch_spec.ts";
import type { WebGpuBackend } from "../backend.ts";
import { itemProgram, program, storedItems } from "../program.ts";
import { floats } from "../slices.ts";
import incoming from "../wgsl/incoming.wgsl" with { type: "text" };
import normGradient from "../wgsl/norm_gradient.wgsl" with { type: "text" };
import transpose from "../wgsl/transpose.wgsl" with { type: "text" };
import { activationGrad } from "./activation_grad.ts";
import { branchesInput } from "./branches.ts";
import {
  convolutionFilterGrad,
  convolutionInputGrad,
  type ConvolutionWindow,
} from "./convolution_grad.ts";
import { runConvolution } from "./convolution.ts";
import { runDepthwise } from "./depthwise.ts";
import { type ActivatedInput, depthwiseFilterGrad, depthwiseInputGrad } from "./depthwise_grad.ts";
import { runAddition, runItems } from "./items.ts";
import { poolGrad } from "./pool_grad.ts";
import { Scratch } from "./scratch.ts";

const INCOMING = storedItems(itemProgram("batch norm, gradient by input", incoming));
const TRANSPOSE = program("transpose", transpose);
const NORM_GRADIENT = program("batch norm, coefficients of the gradient", normGradient);

/** What the branches of a call share. */
interface Call {
  backend: WebGpuBackend;
  scratch: Scratch;
  attrs: BranchesAttrs;
  /** Inputs of the forward call. */
  forward: TensorInfo[];
  input: ActivatedInput;
  /** The gradient by x, and whether something has been written there. */
  dx: GPUBuffer | undefined;
  begun: boolean;
  /** Gradients by position among the forward's inputs. */
  results: Map<number, TensorInfo>;
}

/** Runs the gradient kernel; inputs are the forward's inputs, outputs, and gradients of outputs. */
export function branchesGradKernel(
  backend: WebGpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: BranchesAttrs },
): TensorInfo[] {
  const { forward, branches } = sortGradientInputs(inputs, attrs), [x] = forward;
  using scratch = new Scratch(backend);
  const results = new Map<number, TensorInfo>();
  if (attrs.inputGradient) results.set(0, backend.allocate(x.shape));
  const call: Call = {
    backend,
    scratch,
    attrs,
    forward,
    input: {
      x: branchesInput(backend, x, attrs),
      affine: attrs.hasAffine ? backend.buffer(forward[1]) : undefined,
      activation: attrs.hasAffine ? 2 : attrs.relu ? 1 : 0,
      shape: x.shape,
    },
    dx: attrs.inputGradient ? backend.buffer(results.get(0)!) : undefined,
    begun: false,
    results,
  };
  attrs.branches.forEach((spec, index) => {
    if (spec.filters.length > 0) convolutionBack(call, spec, branches[index]);
  });
  if (call.dx && call.begun) {
    const dAffine = attrs.hasAffine ? gradientTensor(call, 1) : undefined;
    activationGrad(backend, scratch, { input: call.input, dx: call.dx, dAffine });
  }
  attrs.branches.forEach((spec, index) => {
    if (spec.filters.length === 0) stateBack(call, spec, branches[index]);
  });
  return [...results.keys()].sort((a, b) => a - b).map((index) => results.get(index)!);
}

/** The gradient before a branch's batch norm; scratch unless it is dy itself. */
function incomingGradient(call: Call, spec: BranchSpec, tensors: BranchTensors): GPUBuffer {
  const { backend, scratch, attrs, forward, results } = call,
    { y, dy, affine, moments, dAffine } = tensors;
  if (!affine || !moments || !dAffine) {
    const unused = attrs.filterGradient ? [spec.gamma, spec.beta].filter((at) => at >= 0) : [];
    for (const at of unused) {
      const { shape } = forward[at];
      results.set(at, backend.makeTensorInfo(shape, "float32", new Float32Array(shape[0])));
    }
    return backend.buffer(dy);
  }
  const channels = spec.output[2], pixels = util.sizeFromShape(y.shape) / channels;
  const coefficients = scratch.floats(2 * channels);
  const gradientOf = (index: number) => {
    if (index < 0 || !attrs.filterGradient) return scratch.floats(channels);
    const tensor = backend.allocate(forward[index].shape);
    results.set(index, tensor);
    return backend.buffer(tensor);
  };
  backend.run(NORM_GRADIENT, {
    buffers: [
      backend.buffer(affine),
      backend.buffer(moments),
      backend.buffer(dAffine),
      backend.buffer(spec.gamma < 0 ? affine : forward[spec.gamma]),
      coefficients,
      gradientOf(spec.gamma),
      gradientOf(spec.beta),
    ],
    uniforms: {
      channels,
      count: pixels,
      epsilon: attrs.epsilon,
      hasGamma: Number(spec.gamma >= 0),
    },
    invocations: channels,
  });
  const g = scratch.floats(pixels * channels), result = backend.halves.stored(y);
  runItems(backend, INCOMING[result.form], {
    tensors: [floats(backend.buffer(dy)), result, floats(g)],
    perChannel: coefficients,
    pixels,
    channels,
  });
  scratch.release(coefficients);
  return g;
}

function convolutionBack(call: Call, spec: BranchSpec, tensors: BranchTensors): void {
  const { scratch } = call, g = incomingGradient(call, spec, tensors);
  if (spec.kind === "separable") separableBack(call, spec, g);
  else {
    const segments = spec.filters.length, outChannels = spec.output[2] / segments;
    spec.filters.forEach((index, segment) => {
      const pad = spec.kind === "factorized_reduce" ? -segment : windowPadding(spec);
      denseBack(call, index, {
        g,
        window: {
          ...spec,
          pad,
          outChannels,
          rowChannels: spec.output[2],
          firstChannel: segment * outChannels,
        },
      });
    });
  }
  scratch.release(g);
}

function separableBack(call: Call, spec: BranchSpec, g: GPUBuffer): void {
  const { backend, scratch, attrs, forward, input, dx } = call;
  const [depthwise, pointwise] = spec.filters, [images, , , channels] = input.shape;
  const [height, width, outChannels] = spec.output, shape = [images, height, width, channels];
  const window: ConvolutionWindow = {
    kernel: 1,
    stride: 1,
    pad: 0,
    output: [height, width],
    outChannels,
    rowChannels: outChannels,
    firstChannel: 0,
  };
  const filter = backend.buffer(forward[depthwise]);
  // Holds the depthwise result, then the gradient by it.
  const middle = scratch.floats(images * height * width * channels);
  if (attrs.filterGradient) {
    runDepthwise(backend, { ...input, relu: attrs.relu, filter, y: middle, spec });
    convolutionFilterGrad(backend, scratch, {
      input: { x: floats(middle), affine: undefined, activation: 0, shape },
      g,
      to: gradientTensor(call, pointwise),
      window,
    });
  }
  // A 1x1 convolution's gradient by input is one with the filter transposed.
  const transposed = scratch.floats(channels * outChannels);
  backend.run(TRANSPOSE, {
    buffers: [backend.buffer(forward[pointwise]), transposed],
    uniforms: { rows: channels, columns: outChannels },
    invocations: channels * outChannels,
  });
  runConvolution(backend, {
    x: g,
    relu: false,
    filter: transposed,
    y: floats(middle),
    spec: { kernel: 1, stride: 1, output: [height, width, channels] },
    shape: [images, height, width, outChannels],
  });
  scratch.release(transposed);
  if (attrs.filterGradient) {
    depthwiseFilterGrad(backend, scratch, {
      input,
      g: middle,
      to: gradientTensor(call, depthwise),
      spec,
    });
  }
  if (dx) {
    depthwiseInputGrad(backend, {
      g: middle,
      filter,
      dx,
      spec,
      shape: input.shape,
      add: call.begun,
    });
    call.begun = true;
  }
  scratch.release(middle);
}

function denseBack(
  call: Call,
  index: number,
  { g, window }: { g: GPUBuffer; window: ConvolutionWindow },
): void {
  const { backend, scratch, attrs, forward, input, dx } = call;
  if (attrs.filterGradient) {
    convolutionFilterGrad(backend, scratch, { input, g, to: gradientTensor(call, index), window });
  }
  if (!dx) return;
  const filter = backend.buffer(forward[index]);
  convolutionInputGrad(backend, { g, filter, dx, window, shape: input.shape, add: call.begun });
  call.begun = true;
}

function gradientTensor({ backend, forward, results }: Call, index: number): GPUBuffer {
  const tensor = backend.allocate(forward[index].shape);
  results.set(index, tensor);
  return backend.buffer(tensor);
}

/** A pool or the identity. */
function stateBack(call: Call, spec: BranchSpec, tensors: BranchTensors): void {
  const { backend, scratch, input: { x, shape }, dx, begun: add } = call;
  if (!dx) return;
  const g = incomingGradient(call, spec, tensors);
  if (spec.kind === "identity") {
    runAddition(backend, { a: g, sum: dx, elements: util.sizeFromShape([...shape]), add });
  } else poolGrad(backend, scratch, { x: x.buffer, g, dx, spec, shape, add });
  scratch.release(g);
  call.begun = true;
}
