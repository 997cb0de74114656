/** Second halves of reductions, and sums of gradients, in CUDA. */

import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/reduce.cu" with { type: "text" };
import values from "../cuda/values.cuh" with { type: "text" };
import { cudaModule } from "../module.ts";
import { launchEach } from "./launch_each.ts";
import { THREADS } from "./split.ts";

const MODULE = cudaModule("sums of parts", `${values}\n${source}`);
const ADD_PARTS = MODULE.kernel("addParts");
const ACCUMULATE = MODULE.kernel("accumulate");

/** Sums of a block of addParts; `GROUP` of cuda/reduce.cu. */
const GROUP = 32;

/** Computes `to[i] = sum over p of from[p length + i]`, in an order given by the number of parts. */
export function addParts(
  backend: CudnnBackend,
  { from, to, length, parts }: {
    /** `[parts, length]`. */
    from: bigint;
    to: bigint;
    length: number;
    parts: number;
  },
): void {
  backend.launch(ADD_PARTS, {
    blocks: Math.ceil(length / GROUP),
    threads: THREADS,
    arguments: { from, to, length, parts },
  });
}

/** Copies values, or adds them to what is there; `from` 0n stands for zeros. */
export function accumulate(
  backend: CudnnBackend,
  { from, to, items, add }: { from: bigint; to: bigint; items: number; add: boolean },
): void {
  launchEach(backend, ACCUMULATE, {
    threads: items,
    arguments: { from, to, items, add: Number(add) },
  });
}
