/** Gradients of a depthwise convolution in WGSL, by its input and by its filter. */

import type { BranchSpec } from "../../ops/branch_spec.ts";
import type { WebGpuBackend } from "../backend.ts";
import { type Program, program } from "../program.ts";
import filterSource from "../wgsl/depthwise_filter_grad.wgsl" with { type: "text" };
import inputSource from "../wgsl/depthwise_input_grad.wgsl" with { type: "text" };
import { runDepthwise } from "./depthwise.ts";
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

/** Rows of a part of a filter's gradient at least. */
const LEAST_ROWS = 2;

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
  const each = (line: (r: number, s: number) => string) =>
    taps.flatMap((r) => taps.map((s) => line(r, s))).join(" ");
  const columnOf = (to: number, column: string) =>
    taps.map((r) => `v${r}_${to} = load(l${r}, ${column}, c);`).join(" ");
  const shift = each((r, s) => s < last ? `v${r}_${s} = v${r}_${s + 1};` : "");
  const next = `${shift} ${columnOf(last, "column")} column += u.dilation;`;
  // The window holds columns `column` to `column + last dilation`; the last `stride` of them are new.
  const parts: Record<string, string> = {
    "const KERNEL = 3;": `const KERNEL = ${kernel};`,
    "// WINDOW": each((r, s) => `var v${r}_${s} = 0.0; var a${r}_${s} = 0.0;`),
    "// LINES": taps.map((r) => `let l${r} = line(image, top + ${r} * u.dilation);`).join(" "),
    "// FILL": taps.slice(0, last).map((s) => columnOf(s + 1, `column + ${s} * u.dilation`))
      .join(" ") + ` column += ${last} * u.dilation;`,
    "// SLIDE": kernel === 1
      ? `${columnOf(0, "column")} column += u.stride * u.dilation;`
      : `if (u.stride == 2 && j != phase) { ${next} } ${next}`,
    "// SUM": each((r, s) => `a${r}_${s} = fma(v${r}_${s}, d, a${r}_${s});`),
    "// STORE": each((r, s) => `partial[to + ${r * kernel + s} * u.channels] = a${r}_${s};`),
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
    // The result has the size of x at stride 1.
    runDepthwise(backend, { x: g, relu: false, filter, y: dx, spec, shape, turned: true, add });
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
    invocations: images * height * Math.ceil(width / 8) * 2 * channels,
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
  const length = kernel * kernel * channels, parts = partsFor(rows, channels, LEAST_ROWS);
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
    invocations: channels * parts,
  });
  addParts(backend, { from: partial, to, length, parts });
  scratch.release(partial);
}
