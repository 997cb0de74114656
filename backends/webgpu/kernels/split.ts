/** How reductions are split into parts, whose results are added in order by a second dispatch. */

import type { WebGpuBackend } from "../backend.ts";

/** Invocations that keep a GPU busy, and the most parts: adding them up must stay cheap. */
export const INVOCATIONS = 16384;
const MOST = 256;

/** A reduction that is to be split. */
export interface Reduction {
  /** Items to add up. */
  length: number;
  /** Invocations that a part takes. */
  invocations: number;
  /** Results of a part; those of all parts are one binding. */
  results: number;
  /** Items that a part should have, for it writes all results; default 1. */
  least?: number;
}

/** The number of parts for a reduction, none of them empty. */
export function partsFor(
  { limits }: WebGpuBackend,
  { length, invocations, results, least = 1 }: Reduction,
): number {
  const wanted = Math.min(
    MOST,
    Math.ceil(INVOCATIONS / invocations),
    Math.ceil(length / least),
    mostParts(limits, results),
  );
  return Math.ceil(length / Math.ceil(length / Math.max(1, wanted)));
}

/** Parts whose results fit a binding: fewer than are wanted only where bindings are tiny. */
export function mostParts(
  { maxStorageBufferBindingSize }: WebGpuBackend["limits"],
  results: number,
): number {
  return Math.floor(maxStorageBufferBindingSize / (4 * results));
}
