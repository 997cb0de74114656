/**
 * Dropping primitives at the end of a stage: the progressive part of P-DARTS that makes
 * room for the next, deeper stage.
 *
 * Source: arXiv 1904.12760, section 3.2; ties and the place of `none` as in its authors'
 * code.
 */

import type { Primitive } from "../nn/primitives.ts";
import { checkEdgeWeights, type EdgeWeights } from "./edge_weights.ts";

/** How `dropPrimitives` drops. */
export interface DropOptions {
  /** How many primitives leave each edge; at least one stays. */
  readonly drop: number;
  /** Whether the last stage has ended: `none`, where kept, is then the first to leave. */
  readonly final: boolean;
}

/**
 * The primitives that stay on each edge after a stage: those with the smallest weights
 * leave, the first in the order of `PRIMITIVES` where weights tie. After the last stage
 * `none` leaves before all others, whatever its weight, and counts as one of those dropped.
 *
 * @returns the primitives that stay, [14][kept - drop], in the order of `PRIMITIVES`
 * @throws {RangeError} when `drop` is not an integer from 0 to kept - 1 on every edge, or
 * the weights do not fit the primitives
 */
export function dropPrimitives(
  cell: EdgeWeights,
  { drop, final }: DropOptions,
): Primitive[][] {
  checkEdgeWeights(cell, "drop primitives");
  cell.kept.forEach((primitives, edge) => {
    if (!Number.isInteger(drop) || drop < 0 || drop >= primitives.length) {
      throw new RangeError(
        `Cannot drop primitives: got drop ${drop} for the ${primitives.length} of edge ${edge}`,
      );
    }
  });
  return cell.kept.map((primitives, edge) =>
    dropFromEdge(cell.weights[edge], primitives, { drop, final })
  );
}

/**
 * The primitives that stay on one edge, by the rule of `dropPrimitives`.
 *
 * @param weights [kept], one for each primitive
 * @param primitives the edge's kept primitives, in the order of `PRIMITIVES`
 */
export function dropFromEdge(
  weights: readonly number[],
  primitives: readonly Primitive[],
  { drop, final }: DropOptions,
): Primitive[] {
  const rank = (index: number) => final && primitives[index] === "none" ? -1 : weights[index];
  const leaving = primitives
    .map((_, index) => index)
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, drop);
  return primitives.filter((_, index) => !leaving.includes(index));
}
