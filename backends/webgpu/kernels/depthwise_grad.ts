/** Gradients of a depthwise convolution in WGSL, by its input and by its filter. */

import type { BranchSpec } from "../../ops/branch_spec.ts";
import type { WebGpuBackend } from "../backend.ts";
import { program, type StoredProgram, storedProgram } from "../program.ts";
import { floats, slicesOf, type StoredBuffer } from "../slices.ts";
import filterSource from "../wgsl/depthwise_filter_grad.wgsl" with { type: "text" };
import inputSource from "../wgsl/depthwise_input_grad.wgsl" with { type: "text" };
import { runDepthwise } from "./depthwise.ts";
import { addParts } from "./reduce.ts";
import type { Scratch } from "./scratch.ts";
import { partsFor } from "./split.ts";

const range = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

/** The activated input of a branch. */
export interface ActivatedInput {
  x: StoredBuffer;
  affine: GPUBuffer | undefined;
  /** 0 none, 1 ReLU, 2 ReLU of scale and shift. */
  activation: number;
  /** `[N, H, W, C]`. */
  shape: readonly number[];
}

/** Rows of a part of a filter's gradient at least. */
const LEAST_ROWS = 2;

/** Programs by kernel size. */
function bySize(make: (kernel: number) => StoredProgram): (kernel: number) => StoredProgram {
  const programs = new Map<number, StoredProgram>();
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
  return storedProgram(program(`depthwise ${kernel}x${kernel}, gradient by filter`, code), 1);
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
    runDepthwise(backend, {
      x: floats(g),
      relu: false,
      filter,
      y: dx,
      spec,
      shape,
      turned: true,
      add,
    });
    return;
  }
  const from = { buffer: g, values: outHeight * outWidth * channels };
  const to = { buffer: dx, values: height * width * channels };
  for (const { length, bind } of slicesOf(backend, { length: images, tensors: [from, to] })) {
    backend.run(INPUT, {
      buffers: [bind(from), filter, bind(to)],
      uniforms: {
        images: length,
        height,
        width,
        channels,
        outHeight,
        outWidth,
        kernel,
        dilation,
        add: Number(add),
      },
      invocations: length * height * Math.ceil(width / 8) * 2 * channels,
    });
  }
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
  const { affine, activation, shape: [images, height, width, channels] } = input;
  const [outHeight, outWidth] = spec.output;
  const { kernel, stride, dilation } = spec, results = kernel * kernel * channels;
  const x = { ...input.x, values: height * width * channels };
  const incoming = { buffer: g, values: outHeight * outWidth * channels };
  const tensors = [x, incoming];
  for (const { first, length, bind } of slicesOf(backend, { length: images, tensors })) {
    const rows = length * outHeight;
    const parts = partsFor(backend, {
      length: rows,
      invocations: channels,
      results,
      least: LEAST_ROWS,
    });
    const partial = scratch.floats(parts * results);
    backend.run(FILTER(kernel)[x.form], {
      buffers: [bind(x), affine ?? to, bind(incoming), partial],
      uniforms: {
        height,
        width,
        channels,
        rows,
        outHeight,
        outWidth,
        stride,
        dilation,
        activation,
        parts,
      },
      invocations: channels * parts,
    });
    addParts(backend, { from: partial, to, length: results, parts, add: first > 0 });
    scratch.release(partial);
  }
}
