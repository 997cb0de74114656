/**
 * Deriving the genotype from the last stage's weights.
 *
 * Invariant: `none` never appears in a derived cell, and its weight never counts for an
 * edge's score.
 *
 * Source: arXiv 1904.12760, section 3.2, and arXiv 1806.09055, section 2.4; ties as in the
 * code of P-DARTS's authors.
 */

import type { Genotype, GenotypeEntry } from "../nn/genotypes.ts";
import { CELL_INPUTS, CELL_NODES, EDGES, edgesOfNode } from "../nn/primitives.ts";
import { dropFromEdge } from "./drop.ts";
import { checkEdgeWeights, type EdgeWeights } from "./edge_weights.ts";

/** Edges that a node of a derived cell keeps. */
const EDGES_PER_NODE = 2;

/**
 * Derives one cell. On every edge one primitive stays, the one of largest weight but `none`
 * (the last of them in the order of `PRIMITIVES` where weights tie). An edge's score is the
 * largest of its weights, `none`'s set to 0. Each node keeps its two edges of highest score
 * (node 0 has only two), those from the later states where scores tie.
 *
 * @returns eight (primitive, source state) pairs in edge order
 * @throws {RangeError} when the weights do not fit the primitives, or an edge keeps `none`
 * alone
 */
export function deriveCell({ weights, kept }: EdgeWeights): GenotypeEntry[] {
  checkEdgeWeights({ weights, kept }, "derive a cell");
  const barren = kept.findIndex((primitives) => primitives.join() === "none");
  if (barren >= 0) {
    throw new RangeError(`Cannot derive a cell: edge ${barren} keeps 'none' alone`);
  }
  const scores = kept.map((primitives, edge) =>
    Math.max(...primitives.map((name, i) => name === "none" ? 0 : weights[edge][i]))
  );
  return Array.from({ length: CELL_NODES }, (_, node) => bestEdges(node, scores))
    .flat()
    .map((edge) => {
      const drop = kept[edge].length - 1;
      const [primitive] = dropFromEdge(weights[edge], kept[edge], { drop, final: true });
      return [primitive, EDGES[edge].source];
    });
}

/** The two best edges of a node, ascending: the last two of a stable ascending sort. */
function bestEdges(node: number, scores: readonly number[]): number[] {
  return edgesOfNode(node)
    .sort((a, b) => scores[a] - scores[b])
    .slice(-EDGES_PER_NODE)
    .sort((a, b) => a - b);
}

/**
 * Makes the genotype of two derived cells: each concatenates its four nodes.
 *
 * @throws {RangeError} as `deriveCell`
 */
export function deriveGenotype(
  { normal, reduce }: { normal: EdgeWeights; reduce: EdgeWeights },
): Genotype {
  const concat = Array.from({ length: CELL_NODES }, (_, node) => CELL_INPUTS + node);
  return {
    normal: deriveCell(normal),
    normalConcat: concat,
    reduce: deriveCell(reduce),
    reduceConcat: [...concat],
  };
}
