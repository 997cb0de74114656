/**
 * What a running kernel makes and frees, so that one that throws, for lack of memory most likely, leaves
 * nothing behind.
 *
 * Invariant: tensors that existed before a kernel are as they were where it throws; kernels called by a
 * kernel belong to it.
 */

import type { DataId } from "./tensor_data.ts";

/** What becomes of tensors and blocks that are given up; the backend's and the arena's. */
export interface ScopeOwner {
  /** Takes one reference to a tensor's values away. */
  release(dataId: DataId): void;
  /** Frees a block. */
  free(address: number): void;
}

export class KernelScope {
  readonly #owner: ScopeOwner;
  /** While a kernel runs: how often it made or shared each tensor and did not dispose of it. */
  #kept: Map<DataId, number> | undefined;
  /** Blocks to free when the running kernel of tfjs-backend-cpu has ended. */
  #held: number[] | undefined;

  constructor(owner: ScopeOwner) {
    this.#owner = owner;
  }

  /** Calls a kernel; tensors it made are freed if it throws. */
  attempt<Result>(kernel: () => Result): Result {
    if (this.#kept) return kernel();
    const kept = this.#kept = new Map<DataId, number>();
    try {
      return kernel();
    } catch (error) {
      for (const [dataId, count] of kept) {
        for (let time = 0; time < count; time++) this.#owner.release(dataId);
      }
      throw error;
    } finally {
      this.#kept = undefined;
    }
  }

  /**
   * Attempts a kernel of tfjs-backend-cpu. Such a kernel may read values of a tensor it has disposed
   * already, which plain arrays allow: blocks are freed at its end.
   */
  foreign<Result>(kernel: () => Result): Result {
    if (this.#held) return kernel();
    this.#held = [];
    try {
      return this.attempt(kernel);
    } finally {
      const held = this.#held;
      this.#held = undefined;
      for (const address of held) this.#owner.free(address);
    }
  }

  /** Notes that a tensor was made or shared (1), or disposed of (-1). */
  count(dataId: DataId, change: 1 | -1): void {
    this.#kept?.set(dataId, (this.#kept.get(dataId) ?? 0) + change);
  }

  /** Frees a block, at once or when the kernel has ended. */
  free(address: number): void {
    if (this.#held) this.#held.push(address);
    else this.#owner.free(address);
  }
}
