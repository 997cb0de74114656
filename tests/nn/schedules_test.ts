/** Tests of the schedules, at the figures of the search. */

import { cosineRate, skipDropoutRate } from "../../nn/schedules.ts";
import { assert, assertAlmostEquals, assertEquals } from "../assert.ts";

Deno.test("cosineRate() falls from the initial rate to the minimum", () => {
  const options = { initial: 0.025, minimum: 0, epochs: 25 };
  assertEquals(cosineRate(0, options), 0.025);
  assertAlmostEquals(cosineRate(12.5, options), 0.0125, 1e-12);
  assertAlmostEquals(cosineRate(24, options), 0.0125 * (1 + Math.cos(0.96 * Math.PI)), 1e-12);
  assertAlmostEquals(cosineRate(25, options), 0, 1e-12);
  assertAlmostEquals(cosineRate(25, { ...options, minimum: 0.001 }), 0.001, 1e-12);
  for (let epoch = 1; epoch <= 25; epoch++) {
    assert(cosineRate(epoch, options) < cosineRate(epoch - 1, options));
  }
});

Deno.test("skipDropoutRate() falls linearly, then starts again and falls exponentially", () => {
  const options = { initial: 0.4, epochs: 25, alphaFromEpoch: 10, decay: 0.2 };
  assertAlmostEquals(skipDropoutRate(0, options), 0.4 * 24 / 25, 1e-12);
  assertAlmostEquals(skipDropoutRate(9, options), 0.4 * 15 / 25, 1e-12);
  assertEquals(skipDropoutRate(10, options), 0.4);
  assertAlmostEquals(skipDropoutRate(24, options), 0.4 * Math.exp(-2.8), 1e-12);
  assertAlmostEquals(skipDropoutRate(12, { ...options, decay: 1 }), 0.4 * Math.exp(-2), 1e-12);
  assertEquals(skipDropoutRate(3, { ...options, initial: 0 }), 0);
});
