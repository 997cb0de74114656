/** The verdict on numbers small enough to check by hand. */

import { rankPrimitives, spreadOf, withinSpread } from "../../bench/learning_verdict.ts";
import { assertAlmostEquals, assertEquals, assertThrows } from "../assert.ts";

Deno.test("spreadOf() gives the mean and the sample deviation, and wants two values", () => {
  const { mean, deviation } = spreadOf([1, 2, 3]);
  assertAlmostEquals(mean, 2);
  assertAlmostEquals(deviation, 1);
  assertThrows(() => spreadOf([1]), RangeError, "a spread of 1 values");
});

Deno.test("withinSpread() allows two standard errors of the difference", () => {
  const peer = { mean: 0.4, deviation: 0.03 };
  // The standard error is sqrt((0.0016 + 0.0009) / 4) = 0.025.
  assertEquals(withinSpread({ mean: 0.449, deviation: 0.04 }, peer, 4), true);
  assertEquals(withinSpread({ mean: 0.351, deviation: 0.04 }, peer, 4), true);
  assertEquals(withinSpread({ mean: 0.451, deviation: 0.04 }, peer, 4), false);
});

Deno.test("rankPrimitives() averages over edges, and counts primitives that left as 0", () => {
  const cell = {
    weights: [[0.75, 0.25], [0.5, 0.5]],
    kept: [["skip_connect", "max_pool_3x3"], ["max_pool_3x3", "sep_conv_5x5"]],
  } as const;
  const ranking = rankPrimitives([cell]);
  assertEquals(ranking.slice(0, 4), [
    ["max_pool_3x3", 0.375],
    ["skip_connect", 0.375],
    ["sep_conv_5x5", 0.25],
    ["none", 0],
  ]);
});
