/** Tests of the stored genotypes. */

import { assertEquals, assertStrictEquals, assertThrows } from "../assert.ts";
import {
  cellOf,
  countSkips,
  GENOTYPES,
  nodeCount,
  PDARTS,
  storedGenotype,
} from "../../nn/genotypes.ts";
import { validateGenotype } from "../../nn/genotype_json.ts";
import { formatPython } from "../../nn/genotype_python.ts";

Deno.test("GENOTYPES holds valid genotypes", () => {
  for (const genotype of Object.values(GENOTYPES)) {
    assertEquals(validateGenotype(genotype), genotype);
  }
});

Deno.test("PDARTS is the published cell", () => {
  assertEquals(
    formatPython(PDARTS),
    "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), " +
      "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 0), " +
      "('dil_conv_5x5', 4)], normal_concat=range(2, 6), reduce=[('avg_pool_3x3', 0), " +
      "('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2), ('max_pool_3x3', 0), " +
      "('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)], reduce_concat=range(2, 6))",
  );
});

Deno.test("countSkips() counts the skip connections of a cell", () => {
  assertEquals(
    Object.values(GENOTYPES).map(({ normal, reduce }) => [countSkips(normal), countSkips(reduce)]),
    [[2, 1], [2, 0], [3, 3], [2, 3], [2, 0]],
  );
});

Deno.test("nodeCount() is five for NASNet and AmoebaNet and four for the searched cells", () => {
  assertEquals(
    Object.values(GENOTYPES).map((genotype) => nodeCount(cellOf(genotype, "normal"))),
    [5, 5, 4, 4, 4],
  );
});

Deno.test("cellOf() picks entries and concat of one cell", () => {
  assertEquals(cellOf(GENOTYPES.AmoebaNet, "reduce").concat, [3, 4, 6]);
  assertStrictEquals(cellOf(PDARTS, "reduce").entries, PDARTS.reduce);
  assertStrictEquals(cellOf(PDARTS, "normal").entries, PDARTS.normal);
});

Deno.test("storedGenotype() finds by name and suggests the closest name", () => {
  assertStrictEquals(storedGenotype("PDARTS"), PDARTS);
  assertThrows(() => storedGenotype("PDART"), RangeError, "did you mean 'PDARTS'?");
  assertThrows(() => storedGenotype("toString"), RangeError, "Cannot find the genotype");
});
