/** Second halves of reductions, and sums of gradients, in CUDA. */

import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/reduce.cu" with { type: "text" };
import values from "../cuda/values.cuh" with { type: "text" };
import { cudaModule } from "../module.ts";
import { launchEach } from "./launch_each.ts";
import { launchPacks, PACK, repeated } from "./packs.ts";
import type { Scratch } from "./scratch.ts";
import { THREADS } from "./split.ts";

const MODULE = cudaModule("sums of parts", `${values}\n${repeated(source)}`);
const ADD_PARTS = MODULE.kernel("addParts");
const ACCUMULATE = MODULE.kernel("accumulate");

/** Sums of a block of addParts; `GROUP` of cuda/reduce.cu. */
const GROUP = 32;

/** Partial results, `[parts, length]`, and where their sums go, `[length]`. */
type PartialResults = {
  to: bigint;
  length: number;
  parts: number;
};

/**
 * Partial results that wait to be added, eight sets a launch. Whoever takes memory for a set has
 * launched what fills it before the next is taken.
 */
export class PartialSums {
  readonly #backend: CudnnBackend;
  readonly #scratch: Scratch;
  readonly #waiting: (PartialResults & { from: bigint })[] = [];

  constructor(backend: CudnnBackend, scratch: Scratch) {
    this.#backend = backend;
    this.#scratch = scratch;
  }

  /** Memory for partial results, whose sums will be in `to` after {@linkcode flush}. */
  take(results: PartialResults): bigint {
    if (this.#waiting.length === PACK) this.flush();
    const from = this.#scratch.floats(results.parts * results.length);
    this.#waiting.push({ ...results, from });
    return from;
  }

  /** Adds all that wait, each in an order given by its number of parts. */
  flush(): void {
    const sets = this.#waiting.splice(0);
    if (sets.length === 0) return;
    launchPacks(this.#backend, ADD_PARTS, {
      things: sets,
      blocks: Math.ceil(Math.max(...sets.map(({ length }) => length)) / GROUP),
      threads: THREADS,
    });
    for (const { from } of sets) this.#scratch.release(from);
  }
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
