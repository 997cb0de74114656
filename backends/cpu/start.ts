/** Starts the CPU backend in Deno: compiles its kernels, or takes them from the cache. */

import { type Backend, BackendError, type BackendOptions } from "../contract.ts";
import { PAGE, startOnKernels } from "./backend.ts";
import { compileKernels } from "./compiler.ts";
import { MAX_PAGES } from "./variants.ts";

/** Memories that are tried on a system that refuses the largest: halves, down to 256 MB. */
const LEAST_PAGES = 4096;

/**
 * Starts the CPU backend and makes it tfjs's current one.
 *
 * @throws {RangeError} As {@linkcode startOnKernels}.
 * @throws {BackendError} If kernels cannot be compiled or threads not started.
 */
export async function startCpuBackend(options: BackendOptions = {}): Promise<Backend> {
  const cacheDir = options.cacheDir ?? `${import.meta.dirname}/../../.cache`;
  const memory = makeMemory();
  const kernels = await compileKernels(`${cacheDir}/kernels`, {
    relaxed: options.relaxedSimd,
    wide: options.wideTiles,
    pages: memory.buffer.byteLength / PAGE,
  });
  return await startOnKernels({ kernels, memory }, options);
}

/** The largest memory that the system gives. Its pages take no room until they are touched. */
function makeMemory(): WebAssembly.Memory {
  for (let pages = MAX_PAGES;; pages /= 2) {
    try {
      return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    } catch {
      if (pages <= LEAST_PAGES) {
        throw new BackendError("cpu", `Cannot reserve ${pages * PAGE} bytes of memory`);
      }
    }
  }
}
