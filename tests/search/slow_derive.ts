/**
 * A slow, independent statement of dropping, deriving and restricting skips, for property
 * tests: by counting who beats whom instead of by sorting, and always from scratch instead
 * of step by step. With it, a generator of random cells full of ties.
 *
 * Source: the rules as the shared reference words them, not the code under test.
 */

import type { Genotype, GenotypeEntry } from "../../nn/genotypes.ts";
import { type Primitive, PRIMITIVES } from "../../nn/primitives.ts";
import type { EdgeWeights } from "../../search/edge_weights.ts";

/** First row of each node in the alphas. */
const FIRST = [0, 2, 5, 9, 14];

/** The primitives that stay on one edge: those that fewer than `drop` others leave before. */
export function slowDrop(
  weights: readonly number[],
  kept: readonly Primitive[],
  { drop, final }: { drop: number; final: boolean },
): Primitive[] {
  const leavesBefore = (a: number, b: number): boolean => {
    if (final && kept[a] === "none") return true;
    if (final && kept[b] === "none") return false;
    return weights[a] < weights[b] || (weights[a] === weights[b] && a < b);
  };
  const stay: Primitive[] = [];
  for (let b = 0; b < kept.length; b++) {
    let before = 0;
    for (let a = 0; a < kept.length; a++) if (a !== b && leavesBefore(a, b)) before++;
    if (before >= drop) stay.push(kept[b]);
  }
  return stay;
}

/** Per edge of the derived cell: the edge, and its entry. */
function slowEdges({ weights, kept }: EdgeWeights): { edge: number; entry: GenotypeEntry }[] {
  const result: { edge: number; entry: GenotypeEntry }[] = [];
  for (let node = 0; node < 4; node++) {
    for (let edge = FIRST[node]; edge < FIRST[node + 1]; edge++) {
      let beatenBy = 0;
      for (let other = FIRST[node]; other < FIRST[node + 1]; other++) {
        const [mine, theirs] = [score(edge), score(other)];
        if (theirs > mine || (theirs === mine && other > edge)) beatenBy++;
      }
      if (beatenBy >= 2) continue;
      const [primitive] = slowDrop(weights[edge], kept[edge], {
        drop: kept[edge].length - 1,
        final: true,
      });
      result.push({ edge, entry: [primitive, edge - FIRST[node]] });
    }
  }
  return result;

  function score(edge: number): number {
    let best = 0;
    for (let i = 0; i < kept[edge].length; i++) {
      if (kept[edge][i] !== "none" && weights[edge][i] > best) best = weights[edge][i];
    }
    return best;
  }
}

/** One derived cell. */
export function slowCell(cell: EdgeWeights): GenotypeEntry[] {
  return slowEdges(cell).map(({ entry }) => entry);
}

/**
 * The normal cell after each removal of a skip, the unrestricted one first, until none is
 * left or none of them can be removed.
 */
function slowRemovals(cell: EdgeWeights, gone: readonly number[] = []): GenotypeEntry[][] {
  const weights = cell.weights.map((row, edge) =>
    row.map((w, i) => gone.includes(edge) && cell.kept[edge][i] === "skip_connect" ? 0 : w)
  );
  const edges = slowEdges({ weights, kept: cell.kept });
  const skips = edges
    .filter(({ edge, entry }) => entry[0] === "skip_connect" && !gone.includes(edge))
    .map(({ edge }) => ({ edge, w: weights[edge][cell.kept[edge].indexOf("skip_connect")] }));
  const here = edges.map(({ entry }) => entry);
  if (skips.length === 0) return [here];
  const least = Math.min(...skips.map(({ w }) => w));
  const next = skips.find(({ w }) => w === least)!.edge;
  return [here, ...slowRemovals(cell, [...gone, next])];
}

/** The genotypes of restricted skips: for each limit, the first cell that meets it. */
export function slowRestrict(
  normal: EdgeWeights,
  unrestricted: Genotype,
): { maxSkips: number; genotype: Genotype }[] {
  const skips = (cell: GenotypeEntry[]) => cell.filter(([name]) => name === "skip_connect").length;
  const cells = slowRemovals(normal);
  const result: { maxSkips: number; genotype: Genotype }[] = [];
  let before = 0;
  for (const maxSkips of [8, 7, 6, 5, 4, 3, 2, 1, 0]) {
    const now = cells.findIndex((cell, i) => i >= before && skips(cell) <= maxSkips);
    if (now < 0) break;
    if (now > before) {
      result.push({ maxSkips, genotype: { ...unrestricted, normal: cells[now] } });
    }
    before = now;
  }
  return result;
}

/** A repeatable source of numbers in [0, 1). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * A random cell: `count` primitives kept on each edge, never `none` alone. `levels` is the
 * number of distinct weights, so that few make many ties; 0 draws a softmax without ties.
 */
export function randomCell(
  random: () => number,
  { count, levels }: { count: number; levels: number },
): { weights: number[][]; kept: Primitive[][] } {
  const kept = Array.from({ length: 14 }, () => {
    for (;;) {
      const order = PRIMITIVES.map((name) => ({ name, key: random() }));
      const chosen = order.sort((a, b) => a.key - b.key).slice(0, count).map(({ name }) => name);
      if (chosen.join() !== "none") return PRIMITIVES.filter((name) => chosen.includes(name));
    }
  });
  const weights = kept.map((row) => {
    if (levels > 0) return row.map(() => Math.floor(random() * levels) / 8);
    const powers = row.map(() => Math.exp(4 * random()));
    return powers.map((power) => power / powers.reduce((a, b) => a + b));
  });
  return { weights, kept };
}
