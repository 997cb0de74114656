/**
 * Branches in WGSL, forward: each branch in one or two dispatches, then the batch norm behind it in
 * two. Opposite of ops/branches.ts.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { BranchesAttrs, BranchSpec } from "../../ops/branch_spec.ts";
import type { WebGpuBackend } from "../backend.ts";
import { program, type StoredProgram, storedProgram } from "../program.ts";
import { floats, slicesOf, sliceUnit, type StoredBuffer } from "../slices.ts";
import batchNormSource from "../wgsl/batch_norm.wgsl" with { type: "text" };
import batchNormBySubgroups from "../wgsl/batch_norm_subgroups.wgsl" with { type: "text" };
import momentsSource from "../wgsl/moments.wgsl" with { type: "text" };
import poolSource from "../wgsl/pool.wgsl" with { type: "text" };
import { runConvolution } from "./convolution.ts";
import { runDepthwise } from "./depthwise.ts";
import { reductionProgram, runReduction } from "./reduce.ts";
import { Scratch } from "./scratch.ts";
import { partsFor } from "./split.ts";

/** By stride. */
const MAX_POOL = { 1: pool(1, false), 2: pool(2, false) };
const AVG_POOL = { 1: pool(1, true), 2: pool(2, true) };
const MOMENTS = storedProgram(program("moments", momentsSource), 1);
const MOMENTS_OF_QUADS = storedProgram(
  program("moments of quads", momentsSource.replace("alias Item = f32", "alias Item = vec4f")),
  4,
);
const BATCH_NORM = reductionProgram("batch norm", {
  one: batchNormSource,
  bySubgroups: batchNormBySubgroups,
});

/** Pixels of a part of the moments at least. */
const LEAST_PIXELS = 64;

/** The tensors of a call. */
interface Call {
  inputs: TensorInfo[];
  attrs: BranchesAttrs;
}

/** Runs the forward kernel: per branch y, then affine and moments with statistics. */
export function branchesKernel(backend: WebGpuBackend, call: Call): TensorInfo[] {
  const [x] = call.inputs;
  return call.attrs.branches.flatMap((spec) => {
    if (spec.kind === "identity") return [backend.share(x)];
    const y = backend.halves.allocate([x.shape[0], ...spec.output]);
    runBranch(backend, call, spec, y);
    return spec.statistics ? [y, ...batchNorm(backend, call, spec, y)] : [y];
  });
}

/** The input of a call, as its branches read it: separable ones alone read halves. */
export function branchesInput(
  backend: WebGpuBackend,
  x: TensorInfo,
  { branches }: BranchesAttrs,
): StoredBuffer {
  const halves = branches.every(({ kind }) => kind === "separable");
  return halves ? backend.halves.stored(x) : floats(backend.buffer(x));
}

function runBranch(
  backend: WebGpuBackend,
  { inputs, attrs }: Call,
  spec: BranchSpec,
  y: TensorInfo,
): void {
  const [x] = inputs, { relu, hasAffine } = attrs;
  const { stride, output: [outHeight, outWidth, outChannels] } = spec;
  const from = branchesInput(backend, x, attrs), to = backend.halves.stored(y);
  const activation = { relu, affine: hasAffine ? backend.buffer(inputs[1]) : undefined };
  const filters = spec.filters.map((index) => backend.buffer(inputs[index]));
  const common = { ...activation, shape: x.shape, spec };
  const dense = { ...common, x: from.buffer, y: to };
  switch (spec.kind) {
    case "separable": {
      const shape = [x.shape[0], outHeight, outWidth, x.shape[3]];
      using scratch = new Scratch(backend);
      const spatial = scratch.floats(util.sizeFromShape(shape));
      runDepthwise(backend, { ...common, x: from, filter: filters[0], y: spatial });
      runConvolution(backend, {
        x: spatial,
        relu: false,
        filter: filters[1],
        y: to,
        spec: { kernel: 1, stride: 1, output: spec.output },
        shape,
      });
      return;
    }
    case "pointwise":
    case "convolution":
      runConvolution(backend, { ...dense, filter: filters[0] });
      return;
    case "factorized_reduce":
      filters.forEach((filter, offset) =>
        runConvolution(backend, {
          ...dense,
          filter,
          offset,
          results: { first: offset * outChannels / 2, count: outChannels / 2 },
        })
      );
      return;
    case "max_pool":
    case "avg_pool": {
      const [images, height, width, channels] = x.shape;
      const across = Math.ceil(outWidth / 4);
      const pools = spec.kind === "max_pool" ? MAX_POOL : AVG_POOL;
      const whole = { ...from, values: height * width * channels };
      const pooled = { ...to, values: outHeight * outWidth * channels };
      const tensors = [whole, pooled];
      for (const { length, bind } of slicesOf(backend, { length: images, tensors })) {
        const invocations = length * outHeight * across * channels;
        backend.run(pools[stride as 1 | 2][to.form], {
          buffers: [bind(whole), bind(pooled)],
          uniforms: { height, width, channels, outHeight, outWidth, across, invocations },
          invocations,
        });
      }
    }
  }
}

function pool(stride: 1 | 2, mean: boolean): StoredProgram {
  const source = poolSource.replace("const STRIDE = 1", `const STRIDE = ${stride}`);
  const floats = program(
    `${mean ? "average" : "max"} pool of stride ${stride}`,
    source.replace("const MEAN = false", `const MEAN = ${mean}`),
  );
  return storedProgram(floats, 1);
}

/** The batch norm behind a branch: affine and moments. */
function batchNorm(
  backend: WebGpuBackend,
  { inputs, attrs: { epsilon } }: Call,
  { gamma, beta }: BranchSpec,
  y: TensorInfo,
): TensorInfo[] {
  const [images, height, width, channels] = y.shape, pixels = images * height * width;
  const divides = channels % 4 === 0, items = divides ? channels / 4 : channels;
  const wanted = partsFor(backend, {
    length: pixels,
    invocations: items,
    results: 2 * channels,
    least: LEAST_PIXELS,
  });
  const results = { ...backend.halves.stored(y), values: channels };
  // Slices are of whole parts, whose results are the same with one slice and with many.
  const unit = sliceUnit(results), share = Math.ceil(pixels / wanted / unit) * unit;
  const parts = Math.ceil(pixels / share);
  const affine = backend.allocate([2, channels]), moments = backend.allocate([2, channels]);
  using scratch = new Scratch(backend);
  const partial = scratch.floats(parts * 2 * channels);
  const slices = slicesOf(backend, { length: pixels, tensors: [results], multiple: share });
  for (const { first, length, bind } of slices) {
    const invocations = Math.ceil(length / share) * items;
    backend.run((divides ? MOMENTS_OF_QUADS : MOMENTS)[results.form], {
      buffers: [bind(results), partial],
      uniforms: {
        pixels: length,
        channels: items,
        length: share,
        firstPart: first / share,
        invocations,
      },
      invocations,
    });
  }
  const parameter = (index: number) => index < 0 ? partial : backend.buffer(inputs[index]);
  runReduction(backend, BATCH_NORM, {
    buffers: [
      partial,
      parameter(gamma),
      parameter(beta),
      backend.buffer(affine),
      backend.buffer(moments),
    ],
    uniforms: {
      pixels,
      channels,
      length: share,
      parts,
      hasGamma: Number(gamma >= 0),
      hasBeta: Number(beta >= 0),
      epsilon,
    },
    results: channels,
  });
  return [affine, moments];
}
