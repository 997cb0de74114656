/** Scratch memory of one kernel, given back when its scope ends, whether it returns or throws. */

import { type HostNumber, hostNumber } from "../../host_number.ts";
import type { CudnnBackend } from "../backend.ts";

export class Scratch implements Disposable {
  readonly #backend: CudnnBackend;
  readonly #taken = new Set<bigint>();

  constructor(backend: CudnnBackend) {
    this.#backend = backend;
  }

  /** The address of float32 values, undefined until written; so of int32 ones too. */
  floats(count: number): bigint {
    return this.#keep(this.#backend.takeScratch(4 * count));
  }

  /**
   * The address of a copy of values on the host, such as a table of addresses.
   *
   * @param refresh Writes `values` again, where they follow numbers of the host: before each replay.
   */
  upload(values: ArrayBufferView<ArrayBuffer>, refresh?: () => void): bigint {
    const kept = this.#backend.tables?.place(values, refresh);
    if (kept !== undefined) return kept;
    const address = this.#keep(this.#backend.takeScratch(values.byteLength));
    this.#backend.upload(values, address);
    return address;
  }

  /** Gives memory back early; what is launched already may still use it. */
  release(address: bigint): void {
    if (this.#taken.delete(address)) this.#backend.releaseScratch(address);
  }

  #keep(address: bigint): bigint {
    this.#taken.add(address);
    return address;
  }

  [Symbol.dispose](): void {
    for (const address of this.#taken) this.#backend.releaseScratch(address);
    this.#taken.clear();
  }
}

/** The address of float32 values, those of now at each replay. */
export function uploadNumbers(scratch: Scratch, numbers: readonly HostNumber[]): bigint {
  const values = Float32Array.from(numbers, hostNumber);
  const changes = numbers.some((number) => typeof number === "function");
  return scratch.upload(values, changes ? () => values.set(numbers.map(hostNumber)) : undefined);
}
