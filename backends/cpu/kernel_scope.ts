/** What a running kernel makes and frees: blocks that one of tfjs-backend-cpu's may still read wait. */

import { KernelScope } from "../kernel_scope.ts";
import type { DataId } from "./tensor_data.ts";

/** What becomes of tensors and blocks that are given up; the backend's and the arena's. */
export interface ScopeOwner {
  /** Takes one reference to a tensor's values away. */
  release(dataId: DataId): void;
  /** Frees a block. */
  free(address: number): void;
}

export class CpuKernelScope extends KernelScope {
  readonly #owner: ScopeOwner;
  /** Blocks to free when the running kernel of tfjs-backend-cpu has ended. */
  #held: number[] | undefined;

  constructor(owner: ScopeOwner) {
    super((dataId) => owner.release(dataId));
    this.#owner = owner;
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

  /** Frees a block, at once or when the kernel has ended. */
  free(address: number): void {
    if (this.#held) this.#held.push(address);
    else this.#owner.free(address);
  }
}
