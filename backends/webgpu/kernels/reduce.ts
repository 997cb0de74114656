/**
 * Second halves of reductions: what the parts of a dispatch left is added in a fixed order, or by
 * subgroups, whose order is the device's.
 */

import type { WebGpuBackend } from "../backend.ts";
import type { Dispatch } from "../dispatcher.ts";
import { type Program, program } from "../program.ts";
import addition from "../wgsl/add_parts.wgsl" with { type: "text" };
import additionBySubgroups from "../wgsl/add_parts_subgroups.wgsl" with { type: "text" };
import subgroups from "../wgsl/subgroups.wgsl" with { type: "text" };
import { INVOCATIONS } from "./split.ts";

/** A program with one result an invocation, and the same with one a subgroup. */
export interface ReductionProgram {
  readonly one: Program;
  readonly bySubgroups: Program;
}

/** Both programs of a reduction, from their WGSL. */
export function reductionProgram(
  name: string,
  sources: { one: string; bySubgroups: string },
): ReductionProgram {
  return {
    one: program(name, sources.one),
    bySubgroups: program(`${name}, by subgroups`, sources.bySubgroups, subgroups),
  };
}

/** Runs a reduction: by subgroups where the backend uses them and its results alone keep no GPU busy. */
export function runReduction(
  backend: WebGpuBackend,
  { one, bySubgroups }: ReductionProgram,
  call: Omit<Dispatch, "invocations"> & { results: number },
): void {
  const { results, workgroup, ...rest } = call, invocations = results * backend.subgroupSize;
  if (invocations > 0 && invocations <= INVOCATIONS) {
    backend.run(bySubgroups, { ...rest, invocations });
  } else backend.run(one, { ...rest, workgroup, invocations: results });
}

const ADD_PARTS = reductionProgram("sum over parts", {
  one: addition,
  bySubgroups: additionBySubgroups,
});

/** Computes `to[i] = sum over p of from[p length + i]`; with `add`, goes on from to[i]. */
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
  runReduction(backend, ADD_PARTS, {
    buffers: [from, to],
    uniforms: { length, parts, add: Number(add) },
    results: length,
  });
}
