/**
 * Drop path: in training an operation's output is dropped for whole samples, and divided by the keep
 * probability for the others; an identity is never dropped.
 *
 * Source: Larsson et al., arXiv 1605.07648, with the linear schedule of arXiv 1707.07012, section 4.
 */

import { CounterRandom, type RandomKey } from "../backends/random.ts";

/** Which factors are drawn. */
export interface DropPathDraw {
  /** Names the stream. */
  readonly key: RandomKey;
  /** Number of the training pass, from 0. */
  readonly pass: number;
  /** Share of samples dropped, in [0, 1). */
  readonly rate: number;
  /** Operations that can be dropped. */
  readonly rows: number;
  /** Samples. */
  readonly batch: number;
}

/** The rate of an epoch: `final epoch / epochs`. */
export function dropPathRate(
  epoch: number,
  { final, epochs }: { final: number; epochs: number },
): number {
  return final * epoch / epochs;
}

/**
 * Draws a pass's factors: 0 for a dropped sample, else 1 / (1 - rate).
 *
 * @returns `[rows, batch]`, row by row.
 * @throws {RangeError} If the rate is not in [0, 1).
 */
export function dropPathFactors({ key, pass, rate, rows, batch }: DropPathDraw): Float32Array {
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(`Cannot drop paths: want a rate in [0, 1), got ${rate}`);
  }
  const random = new CounterRandom({ key, counter: 0 }).fork(pass), kept = 1 / (1 - rate);
  return Float32Array.from({ length: rows * batch }, () => random.uniform() < rate ? 0 : kept);
}
