/** Tests of dropping primitives after a stage. */

import { assertEquals, assertThrows } from "../assert.ts";
import { PRIMITIVES } from "../../nn/primitives.ts";
import { dropFromEdge, dropPrimitives } from "../../search/drop.ts";
import { allPrimitives } from "../../search/edge_weights.ts";
import { numbers, randomCell, slowDrop } from "./slow_derive.ts";

Deno.test("dropFromEdge() drops the smallest weights", () => {
  assertEquals(
    dropFromEdge([0.3, 0.05, 0.01, 0.2, 0.2, 0.04, 0.1, 0.1], PRIMITIVES, {
      drop: 3,
      final: false,
    }),
    ["none", "skip_connect", "sep_conv_3x3", "dil_conv_3x3", "dil_conv_5x5"],
  );
});

Deno.test("dropFromEdge() drops the first when weights tie", () => {
  assertEquals(
    dropFromEdge([0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125], PRIMITIVES, {
      drop: 3,
      final: false,
    }),
    ["skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"],
  );
});

Deno.test("dropFromEdge() drops 'none' first after the last stage, whatever its weight", () => {
  const kept = ["none", "skip_connect", "sep_conv_3x3"] as const;
  const weights = [0.9, 0.06, 0.04];
  assertEquals(dropFromEdge(weights, kept, { drop: 2, final: true }), ["skip_connect"]);
  assertEquals(dropFromEdge(weights, kept, { drop: 1, final: true }), [
    "skip_connect",
    "sep_conv_3x3",
  ]);
  assertEquals(dropFromEdge(weights, kept, { drop: 2, final: false }), ["none"]);
});

Deno.test("dropFromEdge() drops the two smallest after the last stage when 'none' is gone", () => {
  const kept = ["max_pool_3x3", "skip_connect", "dil_conv_5x5"] as const;
  assertEquals(dropFromEdge([0.4, 0.4, 0.2], kept, { drop: 2, final: true }), ["skip_connect"]);
});

Deno.test("dropPrimitives() agrees with the slow statement on random cells", () => {
  const random = numbers(1);
  for (let round = 0; round < 500; round++) {
    const count = 2 + Math.floor(random() * 7);
    const cell = randomCell(random, { count, levels: Math.floor(random() * 5) });
    const options = { drop: Math.floor(random() * count), final: random() < 0.5 };
    assertEquals(
      dropPrimitives(cell, options),
      cell.kept.map((kept, edge) => slowDrop(cell.weights[edge], kept, options)),
    );
  }
});

Deno.test("dropPrimitives() leaves its input as it was", () => {
  const cell = randomCell(numbers(2), { count: 5, levels: 3 });
  const copy = structuredClone(cell);
  dropPrimitives(cell, { drop: 2, final: false });
  assertEquals(cell, copy);
});

Deno.test("dropPrimitives() throws a RangeError when nothing would stay", () => {
  const kept = allPrimitives();
  const weights = kept.map((row) => row.map(() => 1 / 8));
  for (const drop of [-1, 8, 1.5, NaN]) {
    assertThrows(
      () => dropPrimitives({ weights, kept }, { drop, final: false }),
      RangeError,
      `Cannot drop primitives: got drop ${drop} for the 8 of edge 0`,
    );
  }
});
