/**
 * Tensors whose values are kept as bf16, where the precision asks for it: results of branches, which a step
 * keeps until their gradients. All arithmetic, sums, statistics and parameters stay float32; statistics
 * are those of the rounded values. Bf16 has the range of float32.
 *
 * Invariant: whoever asks for such a tensor's address in the ordinary way gets floats: it is widened then,
 * and is a tensor of floats from there on. Only kernels that read bf16 ask for what is stored.
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "./backend.ts";
import { type StoredForm, type StoredValues, widen } from "./kernels/stored.ts";
import { bytesOf, type DeviceTensor } from "./tensor_data.ts";

/** Bytes of a value. */
const BYTES: Readonly<Record<StoredForm, number>> = { floats: 4, bf16: 2 };

export class Bf16Storage {
  readonly #backend: CudnnBackend;
  readonly #form: StoredForm;
  readonly #narrow = new WeakSet<DeviceTensor>();

  /** @param options.on Whether results are kept as bf16; else as floats. */
  constructor(backend: CudnnBackend, { on }: { on: boolean }) {
    this.#backend = backend;
    this.#form = on ? "bf16" : "floats";
  }

  /** A new tensor for a branch's result, of undefined values, on the card. */
  allocate(shape: number[]): TensorInfo {
    const info = this.#backend.allocate(shape, "float32", BYTES[this.#form]);
    if (this.#form === "bf16") this.#narrow.add(this.#backend.get(info.dataId));
    return info;
  }

  /** What is stored, copied to the card if need be. */
  stored(info: TensorInfo): StoredValues {
    const tensor = this.#backend.get(info.dataId);
    if (this.#narrow.has(tensor)) return { address: tensor.address!, form: "bf16" };
    return { address: this.#backend.address(info), form: "floats" };
  }

  /** Makes a tensor one of floats. */
  widen(tensor: DeviceTensor): void {
    if (!this.#narrow.has(tensor)) return;
    const { pool } = this.#backend, from = tensor.address!, to = pool.take(bytesOf(tensor));
    widen(this.#backend, { from, to, items: tensor.elements });
    tensor.place(to);
    this.#narrow.delete(tensor);
    pool.release(from);
  }
}
