/** Tests of restricting skip connections. */

import { assertEquals, assertStrictEquals } from "../assert.ts";
import { countSkips } from "../../nn/genotypes.ts";
import type { Primitive } from "../../nn/primitives.ts";
import { AUTHORS_MAX_SKIPS, genotypeOfAtMost, restrictSkips } from "../../search/restrict_skips.ts";
import { numbers, randomCell, slowCell, slowRestrict } from "./slow_derive.ts";

const KEPT: Primitive[] = ["none", "skip_connect", "sep_conv_3x3"];

/** Every edge keeps `none`, a skip and a separable convolution. */
function cellOfSkips(weights: number[][]) {
  return { weights, kept: weights.map(() => [...KEPT]) };
}

/** Skip weights that order the edges: each edge e has 0.5 + e / 100. */
function allSkips(): number[][] {
  return Array.from({ length: 14 }, (_, edge) => [0.1, 0.5 + edge / 100, 0.4 - edge / 100]);
}

Deno.test("restrictSkips() removes the smallest skips first when every edge is a skip", () => {
  const normal = cellOfSkips(allSkips());
  const { unrestricted, restricted } = restrictSkips({ normal, reduce: normal });
  assertEquals(countSkips(unrestricted.normal), 8);
  assertEquals(restricted.map(({ maxSkips }) => maxSkips), [7, 6, 5, 4, 3, 2, 1, 0]);
  const cells = restricted.map(({ genotype }) =>
    genotype.normal.map(([name, source]) => `${name === "skip_connect" ? "s" : "c"}${source}`)
      .join(" ")
  );
  // Edge 3 (node 1, state 1) loses its skip third; edge 2 then has the better score, but a
  // skip of its own, which leaves fourth. Edge 3's convolution (0.37) loses to edge 2's
  // (0.38), and both to edge 4's skip.
  assertEquals(cells, [
    "c0 s1 s1 s2 s2 s3 s3 s4",
    "c0 c1 s1 s2 s2 s3 s3 s4",
    "c0 c1 c0 s2 s2 s3 s3 s4",
    "c0 c1 c0 c1 s2 s3 s3 s4",
    "c0 c1 c0 c1 c0 s3 s3 s4",
    "c0 c1 c0 c1 c0 c1 s3 s4",
    "c0 c1 c0 c1 c0 c1 c0 s4",
    "c0 c1 c0 c1 c0 c1 c0 c1",
  ]);
});

Deno.test("restrictSkips() yields nothing when the normal cell has no skip", () => {
  const weights = Array.from({ length: 14 }, () => [0.1, 0.2, 0.7]);
  const { unrestricted, restricted } = restrictSkips({
    normal: cellOfSkips(weights),
    reduce: cellOfSkips(allSkips()),
  });
  assertEquals(restricted, []);
  assertEquals(countSkips(unrestricted.normal), 0);
  assertEquals(countSkips(unrestricted.reduce), 8);
});

Deno.test("restrictSkips() stops when a limit cannot be met", () => {
  const normal = cellOfSkips(Array.from({ length: 14 }, () => [0.1, 0.2, 0.7]));
  normal.kept[0] = ["max_pool_3x3", "avg_pool_3x3", "skip_connect"];
  normal.weights[0] = [0, 0, 1];
  normal.weights[1] = [0, 0.9, 0.1];
  const skips = restrictSkips({ normal, reduce: normal });
  assertEquals(skips.restricted.map(({ maxSkips }) => maxSkips), [1]);
  assertEquals(genotypeOfAtMost(skips, 0).normal[0], ["skip_connect", 0]);
});

Deno.test("restrictSkips() agrees with the slow statement on random cells", () => {
  const random = numbers(6);
  let changed = 0;
  for (let round = 0; round < 500; round++) {
    const normal = randomCell(random, { count: 3, levels: Math.floor(random() * 5) });
    if (round % 2 === 0) favourSkips(normal, random);
    const reduce = randomCell(random, { count: 3, levels: 4 });
    const before = structuredClone({ normal, reduce });
    const { unrestricted, restricted } = restrictSkips({ normal, reduce });
    assertEquals({ normal, reduce }, before);
    assertEquals(unrestricted.normal, slowCell(normal));
    assertEquals(restricted, slowRestrict(normal, unrestricted));
    changed += restricted.length;
  }
  assertEquals(changed > 500, true);
});

/** Gives most edges a skip of large weight. */
function favourSkips(
  { weights, kept }: { weights: number[][]; kept: Primitive[][] },
  random: () => number,
): void {
  kept.forEach((primitives, edge) => {
    if (random() < 0.2) return;
    kept[edge] = random() < 0.5
      ? ["none", "skip_connect", "dil_conv_3x3"]
      : ["avg_pool_3x3", "skip_connect", "sep_conv_5x5"];
    weights[edge][primitives.length - 2] = (4 + Math.floor(random() * 4)) / 8;
  });
}

Deno.test("genotypeOfAtMost() gives the genotype the authors keep", () => {
  const normal = cellOfSkips(allSkips());
  const skips = restrictSkips({ normal, reduce: normal });
  assertEquals(countSkips(genotypeOfAtMost(skips, AUTHORS_MAX_SKIPS).normal), 2);
  assertStrictEquals(genotypeOfAtMost(skips, 8), skips.unrestricted);
  for (let limit = 0; limit < 8; limit++) {
    assertStrictEquals(
      genotypeOfAtMost(skips, limit),
      skips.restricted.find(({ maxSkips }) => maxSkips === limit)?.genotype,
    );
  }
});

Deno.test("genotypeOfAtMost() gives the genotype above when a limit changed nothing", () => {
  const weights = Array.from({ length: 14 }, () => [0.1, 0.2, 0.7]);
  weights[0] = [0.1, 0.8, 0.1];
  const normal = cellOfSkips(weights);
  const skips = restrictSkips({ normal, reduce: normal });
  assertStrictEquals(genotypeOfAtMost(skips, 2), skips.unrestricted);
  assertEquals(countSkips(genotypeOfAtMost(skips, 0).normal), 0);
});
