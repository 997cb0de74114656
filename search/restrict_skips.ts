/**
 * Restricting the skip connections of the normal cell: a search favours them because they
 * train fast, and cells with many generalise badly, so the search also yields the genotypes
 * it would have found with at most 8, 7, ..., 0 of them.
 *
 * Invariant: only weights of skips on edges that the derived cell keeps are ever set to 0,
 * and each once; what one limit set to 0 stays so for the lower limits.
 *
 * Source: arXiv 1904.12760, section 3.3 ("architecture refinement"); the order of removals
 * as in its authors' code, who keep the genotype of at most two skips.
 */

import { countSkips, type Genotype, type GenotypeEntry } from "../nn/genotypes.ts";
import { EDGES } from "../nn/primitives.ts";
import { deriveCell, deriveGenotype } from "./derive.ts";
import type { EdgeWeights } from "./edge_weights.ts";

/** The limit the authors keep the genotype of. */
export const AUTHORS_MAX_SKIPS = 2;

/** The genotype under one limit. */
export interface RestrictedGenotype {
  /** The limit: the normal cell holds at most so many skips. */
  readonly maxSkips: number;
  /** The genotype; its reduction cell is the unrestricted one. */
  readonly genotype: Genotype;
}

/** What `restrictSkips` yields. */
export interface RestrictedSkips {
  /** The genotype as derived, without a limit. */
  readonly unrestricted: Genotype;
  /** One genotype for each limit that changed the cell, limits descending. */
  readonly restricted: readonly RestrictedGenotype[];
}

/**
 * Derives the genotype without a limit on skips and under each limit M = 8, 7, ..., 0.
 *
 * For each M in turn, while the normal cell holds more than M skips: of the skips in the
 * cell, the one of smallest weight (on the first edge where weights tie) has its weight set
 * to 0, and the cell is derived anew. Another edge may then win, with a skip of its own.
 *
 * "M changed the cell" means that the cell reached under M + 1 held more than M skips, so
 * that M removed one or more; the other limits would repeat the genotype before and are
 * left out. A limit that cannot be met is left out with all below it: an edge whose only
 * alternatives have weight 0 or that keeps a skip alone cannot lose it.
 *
 * @throws {RangeError} as `deriveCell`
 */
export function restrictSkips(
  { normal, reduce }: { normal: EdgeWeights; reduce: EdgeWeights },
): RestrictedSkips {
  const unrestricted = deriveGenotype({ normal, reduce });
  const weights = normal.weights.map((row) => [...row]);
  const removed = new Set<number>();
  const restricted: RestrictedGenotype[] = [];
  let cell = unrestricted.normal;
  for (let maxSkips = cell.length; maxSkips >= 0; maxSkips--) {
    if (countSkips(cell) <= maxSkips) continue;
    while (countSkips(cell) > maxSkips) {
      const edge = smallestSkip(cell, { weights, kept: normal.kept, removed });
      if (edge === undefined) return { unrestricted, restricted };
      removed.add(edge);
      weights[edge][normal.kept[edge].indexOf("skip_connect")] = 0;
      cell = deriveCell({ weights, kept: normal.kept });
    }
    restricted.push({ maxSkips, genotype: { ...unrestricted, normal: cell } });
  }
  return { unrestricted, restricted };
}

/** The edge of the cell's smallest skip whose weight has not been set to 0 yet. */
function smallestSkip(
  cell: readonly GenotypeEntry[],
  { weights, kept, removed }: EdgeWeights & { removed: ReadonlySet<number> },
): number | undefined {
  const weight = (edge: number) => weights[edge][kept[edge].indexOf("skip_connect")];
  return cell
    .flatMap(([primitive, source], index) => {
      if (primitive !== "skip_connect") return [];
      return EDGES.findIndex((edge) => edge.node === index >> 1 && edge.source === source);
    })
    .filter((edge) => !removed.has(edge))
    .reduce<number | undefined>(
      (best, edge) => best === undefined || weight(edge) < weight(best) ? edge : best,
      undefined,
    );
}

/**
 * The genotype whose normal cell holds at most `maxSkips` skips: the one of the lowest
 * limit that is not below `maxSkips`, or the unrestricted one where no limit changed it.
 * Where a limit could not be met, the genotype of the lowest that could.
 *
 * @param maxSkips 0 or more
 */
export function genotypeOfAtMost(skips: RestrictedSkips, maxSkips: number): Genotype {
  const found = skips.restricted.filter((entry) => entry.maxSkips >= maxSkips).at(-1);
  return found?.genotype ?? skips.unrestricted;
}
