/**
 * Steps of SGD and Adam over all parameters in WGSL. Opposite of ops/optimizer_step.ts.
 *
 * The norm stays on the device: sums of squares of parts of every gradient, then sums of those, then
 * the norm and the factor that clips it, which the updates read. All sums are in a fixed order.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { derivedNumber, type HostNumber } from "../../host_number.ts";
import type { AdamAttrs, SgdAttrs } from "../../ops/optimizer_step.ts";
import type { WebGpuBackend } from "../backend.ts";
import { type PackProgram, packProgram, runPacks } from "../packs.ts";
import { program } from "../program.ts";
import adam from "../wgsl/adam_step.wgsl" with { type: "text" };
import globalNorm from "../wgsl/global_norm.wgsl" with { type: "text" };
import globalNormBySubgroups from "../wgsl/global_norm_subgroups.wgsl" with { type: "text" };
import partialSums from "../wgsl/partial_sums.wgsl" with { type: "text" };
import sgd from "../wgsl/sgd_step.wgsl" with { type: "text" };
import sumSquares from "../wgsl/sum_squares.wgsl" with { type: "text" };
import { reductionProgram, runReduction } from "./reduce.ts";
import { Scratch } from "./scratch.ts";

const SUM_SQUARES = packProgram("sums of squares", sumSquares, { most: 7 });
const PARTIAL_SUMS = program("partial sums", partialSums);
const GLOBAL_NORM = reductionProgram("global norm", {
  one: globalNorm,
  bySubgroups: globalNormBySubgroups,
});
const SGD = packProgram("SGD step", sgd, { most: 4 });
const ADAM = packProgram("Adam step", adam, { most: 2 });

/** Values that a part of a gradient has at least, and parts that it has at most. */
const PART = 16, PARTS = 1024;
/** Sums that are left for the norm. */
const SUMS = 256;
/** For a clip of Infinity: WGSL knows finite numbers alone. */
const LARGEST = 3.4028234663852886e38;

/** Inputs: parameters, gradients, momenta. Outputs: parameters, momenta, norm. */
export function sgdStepKernel(
  backend: WebGpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: SgdAttrs },
): TensorInfo[] {
  const { clip, learningRate, momentum, weightDecay } = attrs;
  return step(backend, inputs, {
    program: SGD,
    lists: 3,
    clip,
    uniforms: { decay: weightDecay, momentum, rate: learningRate },
  });
}

/** Inputs: parameters, gradients, first and second moments. Outputs: all but gradients, norm. */
export function adamStepKernel(
  backend: WebGpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: AdamAttrs },
): TensorInfo[] {
  const { beta1, beta2, clip, epsilon, weightDecay } = attrs;
  return step(backend, inputs, {
    program: ADAM,
    lists: 4,
    clip,
    uniforms: {
      decay: weightDecay,
      beta1,
      gain1: 1 - beta1,
      beta2,
      gain2: 1 - beta2,
      rate: derivedNumber(
        (rate, count) => rate / (1 - beta1 ** count),
        attrs.learningRate,
        attrs.step,
      ),
      root: derivedNumber((count) => 1 / Math.sqrt(1 - beta2 ** count), attrs.step),
      epsilon,
    },
  });
}

interface Rule {
  program: PackProgram;
  /** Inputs for each parameter. */
  lists: number;
  clip: number;
  uniforms: Record<string, HostNumber>;
}

function step(
  backend: WebGpuBackend,
  inputs: TensorInfo[],
  { program, lists, clip, uniforms }: Rule,
): TensorInfo[] {
  const count = inputs.length / lists;
  const outputs = Array.from(
    { length: (lists - 1) * count },
    (_, index) => backend.allocate(inputs[index % count].shape),
  );
  using scratch = new Scratch(backend);
  const norm = backend.allocate([]), factor = scratch.floats(1);
  runNorm(backend, inputs.slice(count, 2 * count), { clip, norm, factor });
  const all = [...inputs, ...outputs].map((info) => backend.buffer(info));
  runPacks(backend, program, {
    shared: [factor],
    uniforms,
    tensors: Array.from({ length: count }, (_, index) => {
      const size = util.sizeFromShape(inputs[index].shape);
      return {
        buffers: Array.from({ length: 2 * lists - 1 }, (_, list) => all[list * count + index]),
        uniforms: { size },
        invocations: size,
      };
    }),
  });
  return [...outputs, norm];
}

/** Writes the norm of all gradients, and the factor that clips it. */
function runNorm(
  backend: WebGpuBackend,
  gradients: TensorInfo[],
  { clip, norm, factor }: { clip: number; norm: TensorInfo; factor: GPUBuffer },
): void {
  let total = 0;
  const tensors = gradients.map((gradient) => {
    const size = util.sizeFromShape(gradient.shape), first = total;
    const parts = Math.min(PARTS, Math.ceil(size / PART));
    total += parts;
    const buffers = [backend.buffer(gradient)];
    return { buffers, uniforms: { size, parts, first }, invocations: parts };
  });
  using scratch = new Scratch(backend);
  const squares = scratch.floats(total), sums = scratch.floats(SUMS);
  runPacks(backend, SUM_SQUARES, { shared: [squares], uniforms: {}, tensors });
  backend.run(PARTIAL_SUMS, {
    buffers: [squares, sums],
    uniforms: { size: total, parts: SUMS },
    invocations: SUMS,
  });
  runReduction(backend, GLOBAL_NORM, {
    buffers: [sums, backend.buffer(norm), factor],
    uniforms: { size: SUMS, clip: Math.min(clip, LARGEST) },
    results: 1,
    workgroup: 1,
  });
}
