/**
 * Depthwise convolutions of stride 1 in WGSL: what the forward kernel and the gradient by input share.
 * Loads decide their speed, so that one invocation makes a strip of many results.
 */

import type { WebGpuBackend } from "../backend.ts";
import { type Program, program } from "../program.ts";
import source from "../wgsl/depthwise_strip.wgsl" with { type: "text" };

const range = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

/** Columns and rows of a strip; ROWS as in the WGSL. */
const COLUMNS = 4, ROWS = 8;

const PROGRAMS = new Map<number, Program>();

function stripProgram(kernel: number): Program {
  const known = PROGRAMS.get(kernel);
  if (known) return known;
  const taps = range(kernel), columns = range(COLUMNS), rows = range(kernel);
  // Sum a<k>_<t> is of the row that is complete k rows from now, column t.
  const sum = (k: number, t: number) => `a${k}_${t}`;
  const parts: Record<string, string> = {
    "const KERNEL = 3;": `const KERNEL = ${kernel};`,
    "const ROWS = 8;": `const ROWS = ${ROWS};`,
    "// WEIGHTS": rows.flatMap((r) =>
      taps.map((s) => `let w${r}_${s} = w[(u.tap + ${r * kernel + s} * u.step) * u.channels + c];`)
    ).join(" "),
    "// BEGIN": rows.flatMap((k) => columns.map((t) => `var ${sum(k, t)} = 0.0;`)).join(" "),
    "// COLUMNS": range(COLUMNS + kernel - 1)
      .map((e) => `let v${e} = load(from_row, inside, left + ${e} * d, c);`).join(" "),
    // The source row meets tap row r of the output row that still lacks kernel - 1 - r rows.
    "// SUMS": rows.flatMap((r) =>
      columns.flatMap((t) =>
        taps.map((s) => {
          const a = sum(kernel - 1 - r, t);
          return `${a} = fma(v${t + s}, w${r}_${s}, ${a});`;
        })
      )
    ).join(" "),
    "// STORE": columns.map((t) => `store(to_row, column + ${t} * d, c, ${sum(0, t)});`).join(" "),
    "// SHIFT": rows.flatMap((k) =>
      columns.map((t) => `${sum(k, t)} = ${k + 1 < kernel ? sum(k + 1, t) : "0.0"};`)
    ).join(" "),
  };
  const code = Object.entries(parts).reduce(
    (text, [mark, lines]) => text.replace(mark, lines),
    source,
  );
  const made = program(`depthwise ${kernel}x${kernel}, stride 1`, code);
  PROGRAMS.set(kernel, made);
  return made;
}

/** A depthwise convolution of stride 1 over `[N, H, W, C]`. */
export interface StripCall {
  x: GPUBuffer;
  /** `[2, C]` for activation 2. */
  affine?: GPUBuffer;
  /** Of x: 0 none, 1 ReLU, 2 ReLU of scale and shift. */
  activation: number;
  /** `[k, k, C, 1]`. */
  filter: GPUBuffer;
  y: GPUBuffer;
  kernel: number;
  dilation: number;
  /** `[N, H, W, C]`. */
  shape: readonly number[];
  /** Takes the filter turned by 180 degrees, which makes it the gradient by input. */
  turned?: boolean;
  /** Adds to y. */
  add?: boolean;
}

/** Computes y, or adds to it. */
export function runDepthwiseStrip(
  backend: WebGpuBackend,
  { x, affine, activation, filter, y, kernel, dilation, shape, turned, add }: StripCall,
): void {
  const [images, height, width, channels] = shape;
  const strips = (size: number, length: number) => Math.ceil(size / (length * dilation)) * dilation;
  backend.run(stripProgram(kernel), {
    buffers: [x, filter, affine ?? x, y],
    uniforms: {
      images,
      height,
      width,
      channels,
      dilation,
      activation,
      tap: turned ? kernel * kernel - 1 : 0,
      step: turned ? -1 : 1,
      add: Number(add ?? false),
    },
    invocations: images * strips(height, ROWS) * strips(width, COLUMNS) * channels,
  });
}
