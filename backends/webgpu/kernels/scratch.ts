/** Scratch buffers of one kernel, given back when its scope ends, whether it returns or throws. */

import type { WebGpuBackend } from "../backend.ts";

export class Scratch implements Disposable {
  readonly #backend: WebGpuBackend;
  readonly #taken = new Set<GPUBuffer>();

  constructor(backend: WebGpuBackend) {
    this.#backend = backend;
  }

  /** A buffer of float32 values, undefined until written. */
  floats(count: number): GPUBuffer {
    const buffer = this.#backend.takeScratch(4 * count);
    this.#taken.add(buffer);
    return buffer;
  }

  /** Gives a buffer back early; what is encoded already may still use it. */
  release(buffer: GPUBuffer): void {
    if (this.#taken.delete(buffer)) this.#backend.releaseScratch(buffer);
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#taken) this.#backend.releaseScratch(buffer);
    this.#taken.clear();
  }
}
