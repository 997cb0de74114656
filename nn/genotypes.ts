/**
 * Genotypes: what a search yields and an evaluation network is built from; the stored
 * ones of the literature, and the JSON form. The Python form is in `genotype_python.ts`.
 *
 * Invariants: `normal` and `reduce` hold two entries per node, node by node; the entries
 * 2i and 2i + 1 enter node i and name an earlier state (0 and 1 are the outputs of the two
 * previous cells, 2 + i is node i), so every source is below 2 + i. `concat` holds the
 * states whose concatenation is the cell's output.
 *
 * Sources: NASNet (arXiv 1707.07012), AmoebaNet-A (arXiv 1802.01548), DARTS first and
 * second order (arXiv 1806.09055), P-DARTS on CIFAR-10 (arXiv 1904.12760, figure 3).
 */

import { closestString } from "deno-std/text/closest_string.js";
import type { GenotypePrimitive } from "./primitives.ts";

/** One operation of a cell: the primitive, and the state it reads. */
export type GenotypeEntry = readonly [primitive: GenotypePrimitive, source: number];

/** A normal and a reduction cell, in the field's usual notation. */
export interface Genotype {
  /** The normal cell: two entries per node. */
  readonly normal: readonly GenotypeEntry[];
  /** The states concatenated into the normal cell's output, ascending. */
  readonly normalConcat: readonly number[];
  /** The reduction cell: two entries per node. */
  readonly reduce: readonly GenotypeEntry[];
  /** The states concatenated into the reduction cell's output, ascending. */
  readonly reduceConcat: readonly number[];
}

/** The two kinds of cell. */
export type CellKind = "normal" | "reduce";

/** One cell of a genotype. */
export interface CellGenotype {
  /** Two entries per node, node by node. */
  readonly entries: readonly GenotypeEntry[];
  /** The states concatenated into the cell's output. */
  readonly concat: readonly number[];
}

/** One of the two cells of a genotype. */
export function cellOf(genotype: Genotype, kind: CellKind): CellGenotype {
  return kind === "normal"
    ? { entries: genotype.normal, concat: genotype.normalConcat }
    : { entries: genotype.reduce, concat: genotype.reduceConcat };
}

/** How many intermediate nodes a cell has: four when searched here, five in NASNet and AmoebaNet. */
export function nodeCount(cell: CellGenotype): number {
  return cell.entries.length / 2;
}

/** How many skip connections a list of entries holds. */
export function countSkips(entries: readonly GenotypeEntry[]): number {
  return entries.filter(([primitive]) => primitive === "skip_connect").length;
}

/** NASNet-A. */
export const NASNet: Genotype = {
  normal: [
    ["sep_conv_5x5", 1],
    ["sep_conv_3x3", 0],
    ["sep_conv_5x5", 0],
    ["sep_conv_3x3", 0],
    ["avg_pool_3x3", 1],
    ["skip_connect", 0],
    ["avg_pool_3x3", 0],
    ["avg_pool_3x3", 0],
    ["sep_conv_3x3", 1],
    ["skip_connect", 1],
  ],
  normalConcat: [2, 3, 4, 5, 6],
  reduce: [
    ["sep_conv_5x5", 1],
    ["sep_conv_7x7", 0],
    ["max_pool_3x3", 1],
    ["sep_conv_7x7", 0],
    ["avg_pool_3x3", 1],
    ["sep_conv_5x5", 0],
    ["skip_connect", 3],
    ["avg_pool_3x3", 2],
    ["sep_conv_3x3", 2],
    ["max_pool_3x3", 1],
  ],
  reduceConcat: [4, 5, 6],
};

/** AmoebaNet-A. */
export const AmoebaNet: Genotype = {
  normal: [
    ["avg_pool_3x3", 0],
    ["max_pool_3x3", 1],
    ["sep_conv_3x3", 0],
    ["sep_conv_5x5", 2],
    ["sep_conv_3x3", 0],
    ["avg_pool_3x3", 3],
    ["sep_conv_3x3", 1],
    ["skip_connect", 1],
    ["skip_connect", 0],
    ["avg_pool_3x3", 1],
  ],
  normalConcat: [4, 5, 6],
  reduce: [
    ["avg_pool_3x3", 0],
    ["sep_conv_3x3", 1],
    ["max_pool_3x3", 0],
    ["sep_conv_7x7", 2],
    ["sep_conv_7x7", 0],
    ["avg_pool_3x3", 1],
    ["max_pool_3x3", 0],
    ["max_pool_3x3", 1],
    ["conv_7x1_1x7", 0],
    ["sep_conv_3x3", 5],
  ],
  reduceConcat: [3, 4, 6],
};

/** DARTS, first order. */
export const DARTS_V1: Genotype = {
  normal: [
    ["sep_conv_3x3", 1],
    ["sep_conv_3x3", 0],
    ["skip_connect", 0],
    ["sep_conv_3x3", 1],
    ["skip_connect", 0],
    ["sep_conv_3x3", 1],
    ["sep_conv_3x3", 0],
    ["skip_connect", 2],
  ],
  normalConcat: [2, 3, 4, 5],
  reduce: [
    ["max_pool_3x3", 0],
    ["max_pool_3x3", 1],
    ["skip_connect", 2],
    ["max_pool_3x3", 0],
    ["max_pool_3x3", 0],
    ["skip_connect", 2],
    ["skip_connect", 2],
    ["avg_pool_3x3", 0],
  ],
  reduceConcat: [2, 3, 4, 5],
};

/** DARTS, second order. */
export const DARTS_V2: Genotype = {
  normal: [
    ["sep_conv_3x3", 0],
    ["sep_conv_3x3", 1],
    ["sep_conv_3x3", 0],
    ["sep_conv_3x3", 1],
    ["sep_conv_3x3", 1],
    ["skip_connect", 0],
    ["skip_connect", 0],
    ["dil_conv_3x3", 2],
  ],
  normalConcat: [2, 3, 4, 5],
  reduce: [
    ["max_pool_3x3", 0],
    ["max_pool_3x3", 1],
    ["skip_connect", 2],
    ["max_pool_3x3", 1],
    ["max_pool_3x3", 0],
    ["skip_connect", 2],
    ["skip_connect", 2],
    ["max_pool_3x3", 1],
  ],
  reduceConcat: [2, 3, 4, 5],
};

/** P-DARTS, searched on CIFAR-10. */
export const PDARTS: Genotype = {
  normal: [
    ["skip_connect", 0],
    ["dil_conv_3x3", 1],
    ["skip_connect", 0],
    ["sep_conv_3x3", 1],
    ["sep_conv_3x3", 1],
    ["sep_conv_3x3", 3],
    ["sep_conv_3x3", 0],
    ["dil_conv_5x5", 4],
  ],
  normalConcat: [2, 3, 4, 5],
  reduce: [
    ["avg_pool_3x3", 0],
    ["sep_conv_5x5", 1],
    ["sep_conv_3x3", 0],
    ["dil_conv_5x5", 2],
    ["max_pool_3x3", 0],
    ["dil_conv_3x3", 1],
    ["dil_conv_3x3", 1],
    ["dil_conv_5x5", 3],
  ],
  reduceConcat: [2, 3, 4, 5],
};

/** The stored genotypes by the names P-DARTS users know. */
export const GENOTYPES: Readonly<Record<string, Genotype>> = {
  NASNet,
  AmoebaNet,
  DARTS_V1,
  DARTS_V2,
  PDARTS,
};

/**
 * A stored genotype by name.
 *
 * @throws {RangeError} when no genotype has that name; the message suggests the closest
 */
export function storedGenotype(name: string): Genotype {
  if (Object.hasOwn(GENOTYPES, name)) return GENOTYPES[name];
  const names = Object.keys(GENOTYPES);
  throw new RangeError(
    `Cannot find the genotype '${name}': did you mean '${closestString(name, names)}'? ` +
      `The stored ones are ${names.join(", ")}`,
  );
}
