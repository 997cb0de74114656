/** Copies between buffers, many a dispatch: one by one, each would wait for the one before. */

import type { Copy } from "../homes.ts";
import type { WebGpuBackend } from "./backend.ts";
import { packProgram, runPacks } from "./packs.ts";
import source from "./wgsl/copy.wgsl" with { type: "text" };

const COPY = packProgram("copies", source, { most: 8 });

/** Values that an invocation copies. */
const SHARE = 4;

/** Encodes copies between buffers of the same sizes, multiples of 4 bytes. */
export function runCopies(backend: WebGpuBackend, copies: readonly Copy<GPUBuffer>[]): void {
  runPacks(backend, COPY, {
    shared: [],
    uniforms: {},
    tensors: copies.map(({ from, to }) => {
      const size = to.size / 4;
      return { buffers: [from, to], uniforms: { size }, invocations: Math.ceil(size / SHARE) };
    }),
  });
}
