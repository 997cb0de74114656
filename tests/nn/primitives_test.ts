/** Tests of the primitives' table and of the edge numbering. */

import { assertEquals, assertThrows } from "../assert.ts";
import {
  EDGES,
  edgesOfNode,
  GENOTYPE_PRIMITIVES,
  isGenotypePrimitive,
  isPrimitive,
  isSeparable,
  PRIMITIVE_SPECS,
  PRIMITIVES,
} from "../../nn/primitives.ts";

Deno.test("PRIMITIVES is the authors' list in their order", () => {
  assertEquals(
    PRIMITIVES.join(" "),
    "none max_pool_3x3 avg_pool_3x3 skip_connect sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5",
  );
});

Deno.test("PRIMITIVE_SPECS pads so that stride 1 keeps the size", () => {
  for (const name of GENOTYPE_PRIMITIVES) {
    const { kernel, dilation, padding } = PRIMITIVE_SPECS[name];
    for (const size of [7, 8, 32]) {
      assertEquals(size + 2 * padding - dilation * (kernel - 1), size, name);
    }
  }
});

Deno.test("PRIMITIVE_SPECS pads dilated convolutions by 2 and 4", () => {
  assertEquals(PRIMITIVE_SPECS.dil_conv_3x3.padding, 2);
  assertEquals(PRIMITIVE_SPECS.dil_conv_5x5.padding, 4);
});

Deno.test("isSeparable() holds for the sep and dil convolutions alone", () => {
  for (const name of GENOTYPE_PRIMITIVES) {
    assertEquals(isSeparable(name), /^(sep|dil)_/.test(name), name);
  }
});

Deno.test("isPrimitive() refuses primitives that only stored genotypes use", () => {
  assertEquals(isPrimitive("dil_conv_5x5"), true);
  assertEquals(isPrimitive("sep_conv_7x7"), false);
  assertEquals(isGenotypePrimitive("sep_conv_7x7"), true);
  assertEquals(isGenotypePrimitive("toString"), false);
});

Deno.test("EDGES lists 14 edges, node by node, sources ascending", () => {
  assertEquals(EDGES.length, 14);
  assertEquals(
    EDGES.map(({ node, source }) => `${node}${source}`).join(" "),
    "00 01 10 11 12 20 21 22 23 30 31 32 33 34",
  );
});

Deno.test("edgesOfNode() gives the rows of the alphas that enter a node", () => {
  assertEquals([0, 1, 2, 3].map(edgesOfNode), [
    [0, 1],
    [2, 3, 4],
    [5, 6, 7, 8],
    [9, 10, 11, 12, 13],
  ]);
});

Deno.test("edgesOfNode() throws a RangeError when the node is not one of the cell's", () => {
  for (const node of [-1, 4, 0.5, NaN]) {
    assertThrows(() => edgesOfNode(node), RangeError, "Cannot list the edges");
  }
});
