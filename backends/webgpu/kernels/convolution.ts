/** Dense convolutions in WGSL, for the forward kernel and the gradient's. */

import { windowPadding } from "../../geometry/windows.ts";
import type { BranchSpec } from "../../ops/branch_spec.ts";
import type { WebGpuBackend } from "../backend.ts";
import { program, type StoredProgram, storedProgram } from "../program.ts";
import { slicesOf, type StoredBuffer } from "../slices.ts";
import convolutionSource from "../wgsl/convolution.wgsl" with { type: "text" };
import quads from "../wgsl/quads.wgsl" with { type: "text" };
import singles from "../wgsl/singles.wgsl" with { type: "text" };
import type { Activation } from "./depthwise.ts";

const CONVOLUTION = { quads: convolution("quads", false), singles: convolution("singles", false) };
const AFFINE_CONVOLUTION = {
  quads: convolution("quads", true),
  singles: convolution("singles", true),
};

/** A dense convolution of activated images. */
export interface ConvolutionCall extends Activation {
  /** `[N, H, W, C]`. */
  x: GPUBuffer;
  /** `[k, k, C, M]`. */
  filter: GPUBuffer;
  /** `[N, OH, OW, C']`. */
  y: StoredBuffer;
  spec: Pick<BranchSpec, "kernel" | "stride" | "output">;
  /** That of x. */
  shape: readonly number[];
  /** Pixels by which the windows lie further down and right. */
  offset?: number;
  /** Channels of y to write, M in all; default all of them. */
  results?: { first: number; count: number };
}

/** Computes y. */
export function runConvolution(
  backend: WebGpuBackend,
  { x, affine, relu, filter, y, spec, shape, offset = 0, results }: ConvolutionCall,
): void {
  const [images, height, width, channels] = shape;
  const { kernel, stride, output: [outHeight, outWidth, outChannels] } = spec;
  const { first, count } = results ?? { first: 0, count: outChannels };
  // A 1x1 convolution of stride 1 knows no rows: all pixels are one, so that no tile is cut short.
  const flat = kernel === 1 && stride === 1 && offset === 0;
  const programs = affine ? AFFINE_CONVOLUTION : CONVOLUTION;
  const divides = [channels, outChannels, count].every((size) => size % 4 === 0);
  const total = flat ? images * height * width : images;
  const from = { buffer: x, values: flat ? channels : height * width * channels };
  const to = { ...y, values: flat ? outChannels : outHeight * outWidth * outChannels };
  for (const { length, bind } of slicesOf(backend, { length: total, tensors: [from, to] })) {
    const [rows, wide] = flat ? [1, length] : [outHeight, outWidth];
    const across = Math.ceil(wide / 8);
    const invocations = (flat ? 1 : length) * rows * across * Math.ceil(count / 8);
    backend.run((divides ? programs.quads : programs.singles)[y.form], {
      buffers: [bind(from), filter, affine ?? filter, bind(to)],
      uniforms: {
        height: flat ? 1 : height,
        width: flat ? wide : width,
        channels,
        outHeight: rows,
        outWidth: wide,
        outChannels,
        across,
        invocations,
        kernel,
        stride,
        pad: windowPadding({ kernel, dilation: 1 }) - offset,
        results: count,
        first,
        relu: Number(relu),
      },
      invocations,
    });
  }
}

function convolution(channels: "quads" | "singles", affine: boolean): StoredProgram {
  const floats = program(
    `convolution of ${channels}${affine ? " after an affine activation" : ""}`,
    convolutionSource.replace("const AFFINE = false", `const AFFINE = ${affine}`),
    channels === "quads" ? quads : singles,
  );
  return storedProgram(floats, channels === "quads" ? 4 : 1);
}
