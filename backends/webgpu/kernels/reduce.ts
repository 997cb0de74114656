/** Second halves of reductions: what the parts of a dispatch left is added in a fixed order. */

import type { WebGpuBackend } from "../backend.ts";
import { program } from "../program.ts";
import addition from "../wgsl/add_parts.wgsl" with { type: "text" };

const ADD_PARTS = program("sum over parts", addition);

/** Computes `to[i] = sum over p of from[p length + i]`, p ascending; with `add`, goes on from to[i]. */
export function addParts(
  backend: WebGpuBackend,
  { from, to, length, parts, add = false }: {
    /** `[parts, length]`. */
    from: GPUBuffer;
    to: GPUBuffer;
    length: number;
    parts: number;
    add?: boolean;
  },
): void {
  backend.run(ADD_PARTS, {
    buffers: [from, to],
    uniforms: { length, parts, add: Number(add) },
    invocations: length,
  });
}
