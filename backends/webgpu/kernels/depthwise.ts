/**
 * The depthwise part of a separable branch in WGSL, for the forward kernel and the gradient's: one
 * program a window, whose taps are written out.
 */

import { type Window, windowPadding } from "../../geometry/windows.ts";
import type { BranchSpec } from "../../ops/branch_spec.ts";
import type { WebGpuBackend } from "../backend.ts";
import { program, type StoredProgram, storedProgram } from "../program.ts";
import { slicesOf, type StoredBuffer } from "../slices.ts";
import source from "../wgsl/depthwise.wgsl" with { type: "text" };

/** Columns of an invocation's tile, and taps over all its rows at most: a program's length. */
const COLUMNS = 8, MOST_TAPS = 100;
/** Rows of a tile at most. */
const MOST_ROWS = 4;

/** How a branch activates x: not at all, by ReLU, or by ReLU of `scale x + shift`. */
export interface Activation {
  /** `[2, C]`: scale and shift. */
  affine?: GPUBuffer;
  relu: boolean;
}

/** A depthwise convolution of activated images. */
export interface DepthwiseCall extends Activation {
  /** `[N, H, W, C]`. */
  x: StoredBuffer;
  /** `[k, k, C, 1]`. */
  filter: GPUBuffer;
  /** `[N, OH, OW, C]`, the result. */
  y: GPUBuffer;
  spec: Pick<BranchSpec, "kernel" | "stride" | "dilation" | "output">;
  /** That of x. */
  shape: readonly number[];
  /** Takes the filter turned by 180 degrees: at stride 1, the gradient by input. */
  turned?: boolean;
  /** Adds to y. */
  add?: boolean;
}

/** Computes `depthwise(activation(x), filter)`; the padding is of zeros, not activated. */
export function runDepthwise(
  backend: WebGpuBackend,
  { x, affine, relu, filter, y, spec, shape, turned = false, add = false }: DepthwiseCall,
): void {
  const [images, height, width, channels] = shape, [outHeight, outWidth] = spec.output;
  const apart = apartOf(spec), down = Math.ceil(outHeight / (rowsOf(spec) * apart)) * apart;
  const across = Math.ceil(outWidth / COLUMNS);
  const from = { ...x, values: height * width * channels };
  const to = { buffer: y, values: outHeight * outWidth * channels };
  for (const { length, bind } of slicesOf(backend, { length: images, tensors: [from, to] })) {
    const invocations = length * down * across * channels;
    backend.run(programOf(spec)[x.form], {
      buffers: [bind(from), filter, affine ?? filter, bind(to)],
      uniforms: {
        height,
        width,
        channels,
        outHeight,
        outWidth,
        down,
        across,
        invocations,
        relu: Number(relu),
        affine: Number(affine !== undefined),
        tap: turned ? spec.kernel ** 2 - 1 : 0,
        step: turned ? -1 : 1,
        add: Number(add),
      },
      invocations,
    });
  }
}

const programs = new Map<string, StoredProgram>();

function programOf(window: Window): StoredProgram {
  const { kernel, stride, dilation } = window, key = `${kernel} ${stride} ${dilation}`;
  const known = programs.get(key);
  if (known) return known;
  const constants = {
    STRIDE: stride,
    PAD: windowPadding(window),
    ROWS: rowsOf(window),
    APART: apartOf(window),
    COLUMNS,
  };
  const code = Object.entries(constants).reduce(
    (text, [name, value]) =>
      text.replace(RegExp(`const ${name} = \\d+`), `const ${name} = ${value}`),
    source.replace("// TILE", tile(window)),
  );
  const name = `depthwise convolution, kernel ${kernel} stride ${stride} dilation ${dilation}`;
  const made = storedProgram(program(name, code), 1);
  programs.set(key, made);
  return made;
}

function rowsOf({ kernel }: Pick<Window, "kernel">): number {
  return Math.min(MOST_ROWS, Math.max(1, Math.floor(MOST_TAPS / kernel ** 2)));
}

/** From one row of a tile to the next: rows that share those of x that they read. */
function apartOf({ stride, dilation }: Pick<Window, "stride" | "dilation">): number {
  return stride === 1 ? dilation : 1;
}

/** The statements of a tile: its taps, its columns, row after row of x, and its results. */
function tile(window: Window): string {
  const { kernel, stride, dilation } = window, apart = apartOf(window);
  const taps = range(kernel), rows = range(rowsOf(window)), columns = range(COLUMNS);
  // Offsets in x, from the first tap of the first window.
  const across = (k: number, s: number) => k * stride + s * dilation;
  const down = (o: number, r: number) => o * apart * stride + r * dilation;
  const usedAcross = distinct(columns.flatMap((k) => taps.map((s) => across(k, s))));
  const usedDown = distinct(rows.flatMap((o) => taps.map((r) => down(o, r))));
  return [
    ...range(kernel ** 2).map((tap) =>
      `let w${tap} = w[(u.tap + ${tap} * u.step) * u.channels + c];`
    ),
    ...usedAcross.map((b) => `let column${b} = columnAt(left + ${b}, c);`),
    ...rows.flatMap((o) => columns.map((k) => `var sum${o}_${k} = 0.0;`)),
    ...usedDown.flatMap((a) => [
      `let row${a} = rowAt(n, top + ${a});`,
      ...usedAcross.map((b) => `let x${a}_${b} = valueAt(row${a}, column${b}, scale, shift);`),
      ...rows.flatMap((o) =>
        taps.filter((r) => down(o, r) === a).flatMap((r) =>
          taps.flatMap((s) =>
            columns.map((k) => `sum${o}_${k} += w${r * kernel + s} * x${a}_${across(k, s)};`)
          )
        )
      ),
    ]),
    ...rows.flatMap((o) =>
      columns.map((k) => `store(n, i + ${o * apart}, j + ${k}, c, sum${o}_${k});`)
    ),
  ].join("\n  ");
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

function distinct(values: number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
