/** How reductions are split into parts, whose results are added in order by a second dispatch. */

/** Invocations that keep a GPU busy, and the most parts: adding them up must stay cheap. */
const INVOCATIONS = 16384, MOST = 256;

/**
 * Parts for a reduction over `length` items with `results` results.
 *
 * @param least Items that a part should have: each part writes all results once.
 */
export function partsFor(length: number, results: number, least = 1): number {
  const wanted = Math.min(MOST, Math.ceil(INVOCATIONS / results), Math.ceil(length / least));
  // No part may be empty.
  return Math.ceil(length / Math.ceil(length / Math.max(1, wanted)));
}
