/**
 * The architecture weights of one kind of cell at the end of a stage, as dropping and
 * deriving read them: numbers on the host, one row per edge.
 *
 * Invariants: row e belongs to `EDGES[e]`; its columns are the primitives that edge kept,
 * in the order of `PRIMITIVES`; a weight is a softmax output, so in [0, 1].
 */

import { EDGES, type Primitive, PRIMITIVES } from "../nn/primitives.ts";

/** The primitives each edge keeps, in the order of `PRIMITIVES`: [14][kept]. */
export type KeptPrimitives = readonly (readonly Primitive[])[];

/** One kind of cell: architecture weights and what they weigh. */
export interface EdgeWeights {
  /** Softmax weights, [14][kept], in [0, 1]. */
  readonly weights: readonly (readonly number[])[];
  /** The kept primitives, [14][kept]. */
  readonly kept: KeptPrimitives;
}

/** Every edge with all eight primitives: what stage 1 starts from. */
export function allPrimitives(): Primitive[][] {
  return EDGES.map(() => [...PRIMITIVES]);
}

/**
 * Softmax over each row in float64: exp(a - max) / sum of exp(a - max). Equal alphas of a
 * row get equal weights, and a larger alpha never a smaller weight.
 *
 * @param alphas [rows][columns], finite
 * @returns [rows][columns], in [0, 1], each row adding up to 1
 * @throws {RangeError} when a row is empty or an alpha is not finite
 */
export function softmaxRows(alphas: readonly ArrayLike<number>[]): number[][] {
  return alphas.map((row, edge) => {
    const values = Array.from(row);
    if (values.length === 0) throw new RangeError(`Cannot take a softmax: row ${edge} is empty`);
    const bad = values.find((value) => !Number.isFinite(value));
    if (bad !== undefined) {
      throw new RangeError(`Cannot take a softmax: got alpha ${bad} in row ${edge}`);
    }
    const largest = Math.max(...values);
    const powers = values.map((value) => Math.exp(value - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  });
}

/**
 * Checks weights and kept primitives against the invariants of this file.
 *
 * @param task what the caller is about to do, for the message: "drop primitives"
 * @throws {RangeError} when a count, a primitive's place or a weight is not as described
 */
export function checkEdgeWeights({ weights, kept }: EdgeWeights, task: string): void {
  if (kept.length !== EDGES.length || weights.length !== EDGES.length) {
    throw new RangeError(
      `Cannot ${task}: got ${weights.length} rows of weights and ${kept.length} of primitives, ` +
        `not ${EDGES.length}`,
    );
  }
  kept.forEach((primitives, edge) => {
    const places = primitives.map((primitive) => PRIMITIVES.indexOf(primitive));
    const ordered = places.every((place, i) => place > (i === 0 ? -1 : places[i - 1]));
    if (primitives.length === 0 || !ordered) {
      throw new RangeError(
        `Cannot ${task}: edge ${edge} keeps [${primitives.join(", ")}], ` +
          `not one primitive or more in the order of the search space`,
      );
    }
    if (weights[edge].length !== primitives.length) {
      throw new RangeError(
        `Cannot ${task}: edge ${edge} has ${weights[edge].length} weights ` +
          `for ${primitives.length} primitives`,
      );
    }
    const bad = weights[edge].find((weight) => !(weight >= 0 && weight <= 1));
    if (bad !== undefined) {
      throw new RangeError(`Cannot ${task}: edge ${edge} has the weight ${bad}, not in 0..1`);
    }
  });
}
