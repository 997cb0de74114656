/** Tests of deriving cells and genotypes. */

import { assertEquals, assertThrows } from "../assert.ts";
import { validateGenotype } from "../../nn/genotype_json.ts";
import type { Primitive } from "../../nn/primitives.ts";
import { deriveCell, deriveGenotype } from "../../search/derive.ts";
import { numbers, randomCell, slowCell } from "./slow_derive.ts";

/** Every edge keeps the same three primitives. */
function uniform(kept: Primitive[], weights: number[][]) {
  return { weights, kept: weights.map(() => [...kept]) };
}

Deno.test("deriveCell() keeps the two best edges of each node in edge order", () => {
  const best = [
    0.5,
    0.6,
    /**/ 0.9,
    0.5,
    0.8,
    /**/ 0.5,
    0.7,
    0.6,
    0.4,
    /**/ 0.5,
    0.6,
    0.7,
    0.8,
    0.9,
  ];
  const weights = best.map((weight, edge) =>
    edge % 2 === 0 ? [0.1, weight, 0.9 - weight] : [0.1, 0.9 - weight, weight]
  );
  assertEquals(deriveCell(uniform(["none", "skip_connect", "sep_conv_3x3"], weights)), [
    ["skip_connect", 0],
    ["sep_conv_3x3", 1],
    ["skip_connect", 0],
    ["skip_connect", 2],
    ["skip_connect", 1],
    ["sep_conv_3x3", 2],
    ["skip_connect", 3],
    ["sep_conv_3x3", 4],
  ]);
});

Deno.test("deriveCell() keeps the edges of later states when scores tie", () => {
  const weights = Array.from({ length: 14 }, () => [0.5, 0.25, 0.25]);
  assertEquals(deriveCell(uniform(["none", "max_pool_3x3", "dil_conv_5x5"], weights)), [
    ["dil_conv_5x5", 0],
    ["dil_conv_5x5", 1],
    ["dil_conv_5x5", 1],
    ["dil_conv_5x5", 2],
    ["dil_conv_5x5", 2],
    ["dil_conv_5x5", 3],
    ["dil_conv_5x5", 3],
    ["dil_conv_5x5", 4],
  ]);
});

Deno.test("deriveCell() scores an edge without its 'none'", () => {
  const weights = Array.from({ length: 14 }, () => [0.2, 0.4, 0.4]);
  weights[4] = [0.98, 0.01, 0.01];
  weights[2] = [0.0, 0.5, 0.5];
  const cell = deriveCell(uniform(["none", "skip_connect", "sep_conv_3x3"], weights));
  assertEquals(cell.slice(2, 4), [["sep_conv_3x3", 0], ["sep_conv_3x3", 1]]);
});

Deno.test("deriveCell() derives from edges that keep different primitives", () => {
  const cell = uniform(
    ["none", "skip_connect", "sep_conv_3x3"],
    Array.from({ length: 14 }, () => [0.3, 0.4, 0.3]),
  );
  cell.kept[0] = ["max_pool_3x3", "avg_pool_3x3", "skip_connect"];
  cell.weights[0] = [0.3, 0.4, 0.3];
  assertEquals(deriveCell(cell).slice(0, 2), [["avg_pool_3x3", 0], ["skip_connect", 1]]);
});

Deno.test("deriveCell() agrees with the slow statement on random cells", () => {
  const random = numbers(3);
  for (let round = 0; round < 500; round++) {
    const count = round % 5 === 0 ? 1 + Math.floor(random() * 8) : 3;
    const cell = randomCell(random, { count, levels: Math.floor(random() * 5) });
    assertEquals(deriveCell(cell), slowCell(cell));
  }
});

Deno.test("deriveGenotype() yields a valid genotype of both cells", () => {
  const random = numbers(4);
  const normal = randomCell(random, { count: 3, levels: 0 });
  const reduce = randomCell(random, { count: 3, levels: 0 });
  const genotype = deriveGenotype({ normal, reduce });
  assertEquals(validateGenotype(genotype), genotype);
  assertEquals(genotype, {
    normal: slowCell(normal),
    normalConcat: [2, 3, 4, 5],
    reduce: slowCell(reduce),
    reduceConcat: [2, 3, 4, 5],
  });
});

Deno.test("deriveCell() throws a RangeError when an edge keeps 'none' alone", () => {
  const cell = randomCell(numbers(5), { count: 3, levels: 0 });
  cell.kept[6] = ["none"];
  cell.weights[6] = [1];
  assertThrows(() => deriveCell(cell), RangeError, "edge 6 keeps 'none' alone");
});
