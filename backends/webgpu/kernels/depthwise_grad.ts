/** Gradients of a depthwise convolution in WGSL, by its input and by its filter. */

import type { BranchSpec } from "../../ops/branch_spec.ts";
import type { WebGpuBackend } from "../backend.ts";
import { type Program, program } from "../program.ts";
import filterSource from "../wgsl/depthwise_filter_grad.wgsl" with { type: "text" };
import inputSource from "../wgsl/depthwise_input_grad.wgsl" with { type: "text" };
import { runDepthwiseStrip } from "./depthwise_strip.ts";
import { addParts } from "./reduce.ts";
import type { Scratch } from "./scratch.ts";
import { partsFor } from "./split.ts";

const range = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

/** The activated input of a branch. */
export interface ActivatedInput {
  x: GPUBuffer;
  affine: GPUBuffer | undefined;
  /** 0 none, 1 ReLU, 2 ReLU of scale and shift. */
  activation: number;
  /** `[N, H, W, C]`. */
  shape: readonly number[];
}

/** Programs by kernel size. */
function bySize(make: (kernel: number) => Program): (kernel: number) => Program {
  const programs = new Map<number, Program>();
  return (kernel) => {
    const known = programs.get(kernel) ?? make(kernel);
    programs.set(kernel, known);
    return known;
  };
}

const INPUT = program("depthwise of stride 2, gradient by input", inputSource);

const FILTER = bySize((kernel) => {
  const taps = range(kernel), last = kernel - 1;
  const load = (column: string) => `load(origin, ${column}, c, scale, shift)`;
  const shift = (by: number) =>
    taps.slice(0, Math.max(0, kernel - by)).map((s) => `v${s} = v${s + by};`).join(" ");
  // The window holds columns `column` to `column + last dilation`; the last `stride` of them are new.
  const parts: Record<string, string> = {
    "const KERNEL = 3;": `const KERNEL = ${kernel};`,
    "// WINDOW": taps.map((s) => `var v${s} = 0.0; var a${s} = 0.0;`).join(" "),
    "// FILL": taps.slice(0, last)
      .map((s) => `v${s + 1} = ${load(`column + ${s} * u.dilation`)};`).join(" ") +
      ` column += ${last} * u.dilation;`,
    "// SLIDE": kernel === 1
      ? `v0 = ${load("column")}; column += u.stride * u.dilation;`
      : `if (u.stride == 2 && j != phase) { ${shift(1)} v${last} = ${load("column")}; ` +
        `column += u.dilation; } ${shift(1)} v${last} = ${load("column")}; column += u.dilation;`,
    "// SUM": taps.map((s) => `a${s} = fma(v${s}, d, a${s});`).join(" "),
    "// STORE": taps.map((s) => `partial[to + ${s} * u.channels] = a${s};`).join(" "),
  };
  const code = Object.entries(parts).reduce(
    (text, [mark, lines]) => text.replace(mark, lines),
    filterSource,
  );
  return program(`depthwise ${kernel}x${kernel}, gradient by filter`, code);
});

/** dx = the gradient by the (activated) input, or added to dx. */
export function depthwiseInputGrad(
  backend: WebGpuBackend,
  { g, filter, dx, spec, shape, add }: {
    g: GPUBuffer;
    filter: GPUBuffer;
    dx: GPUBuffer;
    spec: BranchSpec;
    shape: readonly number[];
    add: boolean;
  },
): void {
  const [images, height, width, channels] = shape, [outHeight, outWidth] = spec.output;
  const { kernel, stride, dilation } = spec;
  if (stride === 1) {
    const turned = true, call = { x: g, filter, y: dx, kernel, dilation, shape, turned, add };
    runDepthwiseStrip(backend, { ...call, activation: 0 });
    return;
  }
  backend.run(INPUT, {
    buffers: [g, filter, dx],
    uniforms: {
      images,
      height,
      width,
      channels,
      out_height: outHeight,
      out_width: outWidth,
      kernel,
      dilation,
      add: Number(add),
    },
    invocations: images * height * width * channels,
  });
}

/** The gradient by the filter, `[k, k, C, 1]`, written to `to`. */
export function depthwiseFilterGrad(
  backend: WebGpuBackend,
  scratch: Scratch,
  { input, g, to, spec }: {
    input: ActivatedInput;
    g: GPUBuffer;
    to: GPUBuffer;
    spec: BranchSpec;
  },
): void {
  const [images, height, width, channels] = input.shape, [outHeight, outWidth] = spec.output;
  const { kernel, stride, dilation } = spec, rows = images * outHeight;
  const length = kernel * kernel * channels, parts = partsFor(rows, kernel * channels);
  const partial = scratch.floats(parts * length);
  backend.run(FILTER(kernel), {
    buffers: [input.x, input.affine ?? input.x, g, partial],
    uniforms: {
      height,
      width,
      channels,
      rows,
      out_height: outHeight,
      out_width: outWidth,
      stride,
      dilation,
      activation: input.activation,
      parts,
    },
    invocations: channels * kernel * parts,
  });
  addParts(backend, { from: partial, to, length, parts });
  scratch.release(partial);
}
