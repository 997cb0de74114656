/** Second halves of reductions: what the parts of a dispatch left is added in a fixed order. */

import type { WebGpuBackend } from "../backend.ts";
import { program } from "../program.ts";
import addition from "../wgsl/add_parts.wgsl" with { type: "text" };

const ADD_PARTS = program("sum over parts", addition);

/** Computes `to[at + i] = sum over p of from[p length + i]`, p ascending. */
export function addParts(
  backend: WebGpuBackend,
  { from, to, length, parts, at = 0 }: {
    /** `[parts, length]`. */
    from: GPUBuffer;
    to: GPUBuffer;
    length: number;
    parts: number;
    /** Where in `to` the sums begin, in elements. */
    at?: number;
  },
): void {
  backend.run(ADD_PARTS, {
    buffers: [from, to],
    uniforms: { length, parts, at },
    invocations: length,
  });
}
