/**
 * Programs over lists of tensors, several tensors a dispatch: a network has a thousand parameters,
 * each with a buffer of its own, and most are so small that a call costs more than its work.
 *
 * In the WGSL of such a program, what stands between the lines `// each` and `// end` is repeated for
 * each tensor of a pack with its number in place of `#`, and bindings `@binding(_)` are numbered in
 * order. A tensor's workgroups, `groups#`, follow those of the tensors before it: all invocations of
 * a workgroup work on one tensor.
 */

import type { WebGpuBackend } from "./backend.ts";
import type { HostNumber } from "../host_number.ts";
import type { Binding } from "./dispatcher.ts";
import { type Program, program } from "./program.ts";

/** A program for packs of any size. */
export interface PackProgram {
  /** The tensors that one dispatch takes at most. */
  readonly most: number;
  /** Storage buffers that are bound once, and for each tensor. */
  readonly buffers: { readonly shared: number; readonly each: number };
  /** The program for packs of so many tensors, always the same object. */
  of(tensors: number): Program;
}

/** What a tensor of a list brings to its call. */
export interface PackedTensor {
  /** Bound after the shared buffers, or those of the tensor before. */
  buffers: readonly Binding[];
  /** Without the `#` of their names. `groups` is added. */
  uniforms: Readonly<Record<string, number>>;
  /** The workgroups that its results take are counted from these. */
  invocations: number;
}

const EACH = /^[ ]*\/\/ each\n([^]*?)^[ ]*\/\/ end\n/gm;

/** A program for packs of at most `most` tensors, from its WGSL. */
export function packProgram(name: string, source: string, { most }: { most: number }): PackProgram {
  const programs = new Map<number, Program>(), bindings = /@binding\(_\)/g;
  const outside = source.replace(EACH, "").match(bindings)?.length ?? 0;
  const each = source.match(bindings)!.length - outside;
  const make = (tensors: number) => {
    let next = 0;
    const numbers = Array.from({ length: tensors }, (_, number) => String(number));
    const code = source
      .replace(EACH, (_, part) => numbers.map((number) => part.replaceAll("#", number)).join(""))
      .replace(bindings, () => `@binding(${++next})`);
    return program(tensors === 1 ? name : `${name}, ${tensors} tensors`, code);
  };
  return {
    most,
    buffers: { shared: outside, each },
    of: (tensors) => {
      const made = programs.get(tensors) ?? make(tensors);
      programs.set(tensors, made);
      return made;
    },
  };
}

/**
 * Runs a program over all tensors: in packs as large as the device's bindings allow, and those left
 * over one by one, so that lists of any length compile two programs.
 */
export function runPacks(
  backend: WebGpuBackend,
  { most, buffers, of }: PackProgram,
  call: {
    shared: readonly Binding[];
    uniforms: Readonly<Record<string, HostNumber>>;
    tensors: readonly PackedTensor[];
  },
): void {
  const bindings = backend.limits.maxStorageBuffersPerShaderStage - buffers.shared;
  const fit = Math.max(1, Math.min(most, Math.floor(bindings / buffers.each)));
  const { shared, tensors } = call;
  const { workgroup } = backend;
  for (let first = 0; first < tensors.length;) {
    const size = tensors.length - first >= fit ? fit : 1, uniforms = { ...call.uniforms };
    const pack = tensors.slice(first, first + size);
    let workgroups = 0;
    pack.forEach((tensor, index) => {
      const groups = Math.ceil(tensor.invocations / workgroup);
      workgroups += groups;
      uniforms[`groups${index}`] = groups;
      for (const [key, value] of Object.entries(tensor.uniforms)) uniforms[key + index] = value;
    });
    backend.run(of(size), {
      buffers: [...shared, ...pack.flatMap((tensor) => tensor.buffers)],
      uniforms,
      invocations: workgroup * workgroups,
    });
    first += size;
  }
}
