/** Whether two sides have learnt alike: means, spreads, and the ranking of primitives. */

import { PRIMITIVES } from "../nn/primitives.ts";
import type { EdgeWeights } from "../search/edge_weights.ts";

/** Mean and sample standard deviation of a side's accuracies. */
export interface Spread {
  mean: number;
  deviation: number;
}

/** @throws {RangeError} With fewer than two values. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length < 2) throw new RangeError(`Cannot take a spread of ${values.length} values`);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/**
 * Whether the means differ by no more than twice the standard error of their difference, from each side's
 * own deviation over its `n` seeds.
 */
export function withinSpread(ours: Spread, peer: Spread, n: number): boolean {
  const error = Math.sqrt((ours.deviation ** 2 + peer.deviation ** 2) / n);
  return Math.abs(ours.mean - peer.mean) <= 2 * error;
}

/** The primitives from the largest to the smallest of their mean weights over the edges of all cells. */
export function rankPrimitives(cells: readonly EdgeWeights[]): [name: string, weight: number][] {
  const edges = cells.reduce((sum, { kept }) => sum + kept.length, 0);
  const sums = new Map<string, number>(PRIMITIVES.map((name) => [name, 0]));
  for (const { weights, kept } of cells) {
    kept.forEach((names, edge) =>
      names.forEach((name, index) => sums.set(name, sums.get(name)! + weights[edge][index]))
    );
  }
  return [...sums].map(([name, sum]): [string, number] => [name, sum / edges])
    .sort(([, a], [, b]) => b - a);
}
