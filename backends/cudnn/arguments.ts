/**
 * The arguments of a kernel's calls, in one buffer that lives as long as the kernel: the driver copies
 * them at each launch, so that the next call may write over them.
 */

import { addressOf } from "./ffi/memory.ts";
import type { CudaKernel } from "./module.ts";

/** A kernel's arguments by the names of its parameters: addresses are bigint, all else is a number. */
export type KernelArguments = Readonly<Record<string, number | bigint>>;

/** Bytes of an argument's place: the largest's. */
const PLACE = 8;

export class ArgumentBuffer {
  readonly #kernel: CudaKernel;
  readonly #values: DataView<ArrayBuffer>;
  /** The address of each argument: what a launch is given. */
  readonly table: BigUint64Array<ArrayBuffer>;

  constructor(kernel: CudaKernel) {
    const count = kernel.parameters.length;
    this.#kernel = kernel;
    this.#values = new DataView(new ArrayBuffer(PLACE * count));
    this.table = new BigUint64Array(new ArrayBuffer(PLACE * count));
    const values = addressOf(this.#values.buffer);
    for (let index = 0; index < count; index++) {
      this.table[index] = values + BigInt(PLACE * index);
    }
  }

  /**
   * Writes a call's arguments.
   *
   * @throws {TypeError} If one is missing, unknown, or a number for an address or the reverse.
   */
  write(values: KernelArguments): void {
    const { name: kernel, parameters } = this.#kernel;
    parameters.forEach(({ name, type }, index) => {
      const value = values[name], at = PLACE * index;
      const fits = type === "pointer" ? typeof value === "bigint" : typeof value === "number";
      if (!fits) {
        const got = value === undefined ? "is missing" : `is ${value}`;
        throw new TypeError(`CUDA kernel ${kernel}: argument "${name}" (${type}) ${got}`);
      }
      if (type === "pointer") this.#values.setBigUint64(at, value as bigint, true);
      else if (type === "float") this.#values.setFloat32(at, value as number, true);
      else if (type === "int") this.#values.setInt32(at, value as number, true);
      else this.#values.setUint32(at, value as number, true);
    });
    const given = Object.keys(values);
    if (given.length === parameters.length) return;
    const unknown = given.find((key) => !parameters.some(({ name }) => name === key));
    throw new TypeError(`CUDA kernel ${kernel}: argument "${unknown}" is unknown`);
  }
}
