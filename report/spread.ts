/** Several runs as one curve: the mean where two or more have a value, and how far they spread. */

import type { Curve, Point } from "./curves.ts";

/** A mean and its sample standard deviation; the deviation of one value is 0. */
export interface Mean {
  readonly mean: number;
  readonly deviation: number;
  /** How many values it was taken over. */
  readonly count: number;
}

/** The mean of values; undefined of none. */
export function meanOf(values: readonly number[]): Mean | undefined {
  const count = values.length;
  if (count === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: count < 2 ? 0 : Math.sqrt(squares / (count - 1)), count };
}

/** Curves of one name in several runs: their mean, and the mean less and plus the deviation. */
export interface SpreadCurve {
  readonly name: string;
  readonly mean: readonly Point[];
  readonly low: readonly Point[];
  readonly high: readonly Point[];
}

/** The mean over runs at each x that two or more of the curves have; undefined where there is none. */
export function spreadOf(name: string, curves: readonly Curve[]): SpreadCurve | undefined {
  const values = new Map<number, number[]>();
  for (const { points } of curves) {
    for (const [x, y] of points) values.set(x, [...values.get(x) ?? [], y]);
  }
  const shared = [...values].filter(([, ys]) => ys.length > 1).sort(([a], [b]) => a - b);
  if (shared.length === 0) return undefined;
  const means = shared.map(([x, ys]) => [x, meanOf(ys)!] as const);
  return {
    name,
    mean: means.map(([x, { mean }]) => [x, mean]),
    low: means.map(([x, { mean, deviation }]) => [x, mean - deviation]),
    high: means.map(([x, { mean, deviation }]) => [x, mean + deviation]),
  };
}
