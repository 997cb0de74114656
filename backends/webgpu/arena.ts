/**
 * The memory of a recorder's recordings: buffers of intermediate results, which all of them share, and
 * constants, which are written as they are recorded and never again.
 *
 * Invariants: a buffer is free as soon as its last reader is recorded, since commands run in their order;
 * no tensor outlives a recording. A buffer may be larger than was asked for, but for its sake no larger than
 * a binding may be: no program asks for the length of an array.
 */

import type { BufferOwner, BufferPool, BufferRequest } from "./buffer_pool.ts";

/**
 * How many times larger than asked for a buffer may be: the recording of an epoch's last, smaller batch then
 * needs little of its own. Less than twice, so that half floats leave the buffers of floats alone.
 */
const LARGEST_FIT = 1.9;

export class Arena implements BufferOwner {
  readonly #pool: BufferPool;
  readonly #limits: { maxStorageBufferBindingSize: number };
  /** By size. */
  readonly #free = new Map<number, GPUBuffer[]>();
  readonly #constants = new Set<GPUBuffer>();
  /** Those that a tensor or a kernel of the recording under way holds. */
  readonly #held = new Set<GPUBuffer>();

  /** @param limits Of the device. */
  constructor(pool: BufferPool, limits: { maxStorageBufferBindingSize: number }) {
    this.#pool = pool;
    this.#limits = limits;
  }

  /**
   * Runs `body`, all of whose buffers come from here; those that are new are destroyed if it throws.
   *
   * @param body Returns the buffers that are still to be released after it.
   * @throws {Error} If others are not released by its end, or whatever `body` throws.
   */
  during(body: () => readonly GPUBuffer[]): void {
    const made: GPUBuffer[] = [];
    try {
      const left = this.#pool.from((request) => this.#take(request, made), body);
      const others = this.#held.difference(new Set(left)).size;
      if (others > 0) {
        throw new Error(`Cannot record a step: ${others} tensors outlive it and are not declared`);
      }
    } catch (error) {
      for (const buffer of this.#held) this.released(buffer);
      for (const buffer of made) this.#destroy(buffer);
      throw error;
    }
  }

  #take(request: BufferRequest, made: GPUBuffer[]): GPUBuffer {
    const { bytes, usage, mapped } = request, uniform = (usage & GPUBufferUsage.UNIFORM) !== 0;
    if (usage & GPUBufferUsage.MAP_READ) {
      throw new Error("Cannot record a step that reads a tensor");
    }
    const constant = uniform || mapped, free = constant ? undefined : this.#fit(bytes);
    const buffer = free ?? this.#pool.take(request, { owner: this, fresh: constant });
    if (free) this.#pool.addIdle(-free.size);
    else made.push(buffer);
    if (constant) this.#constants.add(buffer);
    if (uniform) this.#pool.addIdle(bytes);
    else this.#held.add(buffer);
    return buffer;
  }

  /** The smallest free buffer that is large enough and not far too large. */
  #fit(bytes: number): GPUBuffer | undefined {
    const most = Math.min(LARGEST_FIT * bytes, this.#limits.maxStorageBufferBindingSize);
    let best = Infinity;
    for (const [size, { length }] of this.#free) {
      const fits = size === bytes || (size > bytes && size <= most);
      if (length > 0 && fits && size < best) best = size;
    }
    return this.#free.get(best)?.pop();
  }

  released(buffer: GPUBuffer): void {
    if (!this.#held.delete(buffer)) return;
    this.#pool.addIdle(buffer.size);
    if (this.#constants.has(buffer)) return;
    const alike = this.#free.get(buffer.size);
    if (alike) alike.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
  }

  #destroy(buffer: GPUBuffer): void {
    this.#constants.delete(buffer);
    const alike = this.#free.get(buffer.size) ?? [], place = alike.indexOf(buffer);
    if (place >= 0) alike.splice(place, 1);
    this.#pool.addIdle(-buffer.size);
    this.#pool.destroy(buffer);
  }

  /** Destroys all buffers. */
  dispose(): void {
    for (const buffer of [...this.#constants, ...[...this.#free.values()].flat()]) {
      this.#destroy(buffer);
    }
  }
}
