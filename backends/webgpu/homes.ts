/**
 * Homes: the buffers in which recordings read and write the values of tensors that live on between steps.
 *
 * Invariants: at most one tensor's data is in a home; one that has to leave keeps its values. A home stays
 * reserved when its tensor is disposed, since a later one, with the next step's values, may move in.
 */

import type { backend_util, DataId, TensorInfo } from "@tensorflow/tfjs-core";
import type { WebGpuBackend } from "./backend.ts";
import type { BufferOwner, BufferPool } from "./buffer_pool.ts";

export class Homes implements BufferOwner {
  readonly #backend: WebGpuBackend;
  readonly #pool: BufferPool;
  /** Every home, and whose data is in it. */
  readonly #tenants = new Map<GPUBuffer, DataId | undefined>();

  constructor(backend: WebGpuBackend) {
    this.#backend = backend;
    this.#pool = backend.pool;
  }

  /** The home of a tensor: the one it is in, or its buffer, which becomes one and goes to `added`. */
  of(tensor: TensorInfo, added: GPUBuffer[]): GPUBuffer {
    const home = this.#backend.buffer(tensor);
    if (this.#tenants.has(home)) return home;
    added.push(home);
    this.#pool.own(home, this);
    this.#tenants.set(home, tensor.dataId);
    Object.assign(this.#data(tensor.dataId), { values: null });
    return home;
  }

  /** Makes homes ordinary buffers again: of the tensors in them, or free ones. */
  remove(homes: Iterable<GPUBuffer>): void {
    for (const home of homes) {
      const empty = this.#tenants.get(home) === undefined;
      this.#tenants.delete(home);
      this.#pool.disown(home);
      if (!empty) continue;
      this.#pool.addIdle(-home.size);
      this.#backend.bufferManager.releaseBuffer(home);
    }
  }

  /** Makes all homes ordinary buffers. */
  dispose(): void {
    this.remove([...this.#tenants.keys()]);
  }

  /** Moves a tensor and its values home, from the host or from another buffer. */
  bring(tensor: TensorInfo, home: GPUBuffer): void {
    const { values, resource } = this.#data(tensor.dataId);
    if (resource === home) return;
    this.#vacate(home);
    if (resource) this.#backend.copy(this.#backend.buffer(tensor), home);
    else this.#backend.queue.writeBuffer(home, 0, hostBytes(tensor, values));
    this.settle(tensor, home);
  }

  /** Moves a tensor into its empty home, where its values are or will be. */
  settle({ dataId }: TensorInfo, home: GPUBuffer): void {
    const data = this.#data(dataId), { resource } = data;
    if (resource === home) return;
    this.#vacate(home);
    if (resource) this.#backend.bufferManager.releaseBuffer(resource as GPUBuffer);
    Object.assign(data, { resource: home, values: null });
    this.#tenants.set(home, dataId);
    this.#pool.addIdle(-home.size);
  }

  /** Whoever is in a home moves out, with a copy of its values. */
  #vacate(home: GPUBuffer): void {
    const tenant = this.#tenants.get(home);
    if (tenant === undefined) return;
    const buffer = this.#backend.bufferManager.acquireBuffer(home.size, home.usage);
    this.#backend.copy(home, buffer);
    this.#data(tenant).resource = buffer;
    this.released(home);
  }

  released(home: GPUBuffer): void {
    if (this.#tenants.get(home) === undefined) return;
    this.#tenants.set(home, undefined);
    this.#pool.addIdle(home.size);
  }

  #data(dataId: DataId) {
    return this.#backend.tensorMap.get(dataId);
  }
}

/** A tensor's values as the device has them. */
function hostBytes(
  { dtype }: TensorInfo,
  values: backend_util.BackendValues | null | undefined,
): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  const numbers = values as ArrayLike<number>;
  return dtype === "float32" ? new Float32Array(numbers) : new Int32Array(numbers);
}
