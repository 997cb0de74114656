/**
 * Where a step's time goes: for every kernel call on threads its time, and the operations and bytes
 * that no implementation of it could leave out, so that a rate can stand beside the machine's roof.
 *
 * Operations count a multiply-add as two; recomputed depthwise results count once. Bytes are those of
 * the tensors a call must read and write once; scratch is free. Beside them stand the operations of whole
 * vectors, which is what the kernel's own way of computing cannot go below.
 */

/** What a kernel call has to do. */
export interface KernelWork {
  /** Kind and shape, such as "branches 32x32x16: separable 3". */
  label: string;
  flops: number;
  bytes: number;
  /**
   * Operations with every lane of the vectors of 8 floats counted that the channels need, and with the
   * depthwise results that backward computes again; left out where that is `flops`.
   */
  vectorFlops?: number;
}

/** Totals of the calls under one label. */
export interface KernelTotal extends Required<KernelWork> {
  calls: number;
  milliseconds: number;
}

/** Collects kernel calls; set as `profile` of a CPU backend. */
export class KernelProfile {
  readonly #totals = new Map<string, KernelTotal>();

  add({ label, flops, bytes, vectorFlops = flops }: KernelWork, milliseconds: number): void {
    let total = this.#totals.get(label);
    if (!total) {
      this.#totals.set(
        label,
        total = { label, flops: 0, bytes: 0, vectorFlops: 0, calls: 0, milliseconds: 0 },
      );
    }
    total.flops += flops;
    total.bytes += bytes;
    total.vectorFlops += vectorFlops;
    total.calls++;
    total.milliseconds += milliseconds;
  }

  /** Totals, the longest first. */
  totals(): KernelTotal[] {
    return [...this.#totals.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  }
}
