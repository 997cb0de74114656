/**
 * The account of a backend's buffers: tfjs's buffer manager, with a check of every size, a peak, and
 * owners for buffers that outlive the tensors in them.
 *
 * Invariant: a buffer belongs to tfjs's manager, which reuses it once it is released, or to one owner,
 * who is told instead. Bytes that owners keep and no tensor holds are reserved, not current.
 */

import type { BackendMemory } from "../contract.ts";
import type { PlaceOwner } from "../homes.ts";
import type { WebGpuBackend } from "./backend.ts";

/** Whoever decides what becomes of a buffer when it is released. */
export type BufferOwner = PlaceOwner<GPUBuffer>;

/** What a buffer is wanted for. */
export interface BufferRequest {
  bytes: number;
  usage: GPUBufferUsageFlags;
  /** To be written by the host before its first use. */
  mapped: boolean;
}

/** Where buffers come from instead of tfjs's manager. */
export type BufferSource = (request: BufferRequest) => GPUBuffer;

export class BufferPool {
  readonly #manager: WebGpuBackend["bufferManager"];
  readonly #acquire: WebGpuBackend["bufferManager"]["acquireBuffer"];
  readonly #release: WebGpuBackend["bufferManager"]["releaseBuffer"];
  readonly #owners = new WeakMap<GPUBuffer, BufferOwner>();
  #source: BufferSource | undefined;
  #idle = 0;
  #peak = 0;

  /**
   * Takes over a manager.
   *
   * @param check Throws where a buffer cannot be had.
   */
  constructor(
    manager: WebGpuBackend["bufferManager"],
    check: (request: BufferRequest) => void,
  ) {
    this.#manager = manager;
    this.#acquire = manager.acquireBuffer.bind(manager);
    this.#release = manager.releaseBuffer.bind(manager);
    manager.acquireBuffer = (bytes, usage, mapped = false, reuse = true) => {
      check({ bytes, usage, mapped });
      const buffer = this.#source?.({ bytes, usage, mapped }) ??
        this.#acquire(bytes, usage, mapped, reuse);
      this.#notePeak();
      return buffer;
    };
    manager.releaseBuffer = (buffer, reuse) => {
      const owner = this.#owners.get(buffer);
      if (owner) owner.released(buffer);
      else this.#release(buffer, reuse);
    };
  }

  /** Takes all buffers from `source` while `body` runs. */
  from<T>(source: BufferSource, body: () => T): T {
    this.#source = source;
    try {
      return body();
    } finally {
      this.#source = undefined;
    }
  }

  /** A buffer that has an owner from the start; a fresh one never had another. */
  take(
    { bytes, usage, mapped }: BufferRequest,
    { owner, fresh }: { owner: BufferOwner; fresh: boolean },
  ): GPUBuffer {
    const buffer = this.#acquire(bytes, usage, mapped, !fresh);
    this.#owners.set(buffer, owner);
    return buffer;
  }

  /** Gives a tensor's buffer an owner. */
  own(buffer: GPUBuffer, owner: BufferOwner): void {
    this.#owners.set(buffer, owner);
  }

  /** Whether a buffer has an owner. */
  isOwned(buffer: GPUBuffer): boolean {
    return this.#owners.has(buffer);
  }

  /** A buffer goes back to tfjs's manager. */
  disown(buffer: GPUBuffer): void {
    this.#owners.delete(buffer);
  }

  /** A buffer of an owner is destroyed; a tensor that still holds it may be disposed. */
  destroy(buffer: GPUBuffer): void {
    this.#owners.set(buffer, { released: () => {} });
    this.#release(buffer, false);
  }

  /** Adds to the bytes that owners keep and no tensor holds. */
  addIdle(bytes: number): void {
    this.#idle += bytes;
    this.#notePeak();
  }

  /** What owners keep is all in use for a while. */
  noteAllInUse(): void {
    this.#peak = Math.max(this.#peak, this.#manager.numBytesUsed);
  }

  #notePeak(): void {
    this.#peak = Math.max(this.#peak, this.#current);
  }

  get #current(): number {
    return this.#manager.numBytesUsed - this.#idle;
  }

  /** Bytes of tensors and scratch. */
  usage(): BackendMemory {
    return {
      current: this.#current,
      peak: this.#peak,
      reserved: this.#manager.numBytesAllocated,
    };
  }

  resetPeak(): void {
    this.#peak = this.#current;
  }
}
