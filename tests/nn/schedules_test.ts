/** Tests of the schedules, at the figures of the search. */

import { cosineRate, learningRate, linearRate, skipDropoutRate } from "../../nn/schedules.ts";
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

Deno.test("linearRate() falls linearly, and by a fifth of a step in each of the last five epochs", () => {
  const options = { initial: 0.5, epochs: 250 };
  assertEquals(linearRate(0, options), 0.5);
  assertAlmostEquals(linearRate(1, options), 0.5 * 244 / 245, 1e-12);
  assertAlmostEquals(linearRate(244, options), 0.5 / 245, 1e-12);
  assertAlmostEquals(linearRate(245, options), 0.5 / 245, 1e-12);
  assertAlmostEquals(linearRate(246, options), 0.5 * 4 / 1225, 1e-12);
  assertAlmostEquals(linearRate(249, options), 0.5 / 1225, 1e-12);
  assertAlmostEquals(linearRate(249, { ...options, minimum: 0.1 }), 0.1 + 0.4 / 1225, 1e-12);
});

Deno.test("linearRate() is the tail alone when there are five epochs or fewer", () => {
  const rates = (epochs: number) =>
    Array.from({ length: epochs }, (_, epoch) => linearRate(epoch, { initial: 1, epochs }));
  assertEquals(rates(6), [1, 1, 0.8, 0.6, 0.4, 0.2]);
  assertEquals(rates(5), [1, 0.8, 0.6, 0.4, 0.2]);
  assertEquals(rates(2), [1, 0.5]);
  assertEquals(rates(1), [1]);
});

Deno.test("learningRate() is the schedule's, times the epoch's share of the warm-up", () => {
  const range = { initial: 0.5, epochs: 250 }, linear = { ...range, schedule: "linear" } as const;
  assertEquals(learningRate(7, range), cosineRate(7, range));
  assertEquals(learningRate(7, linear), linearRate(7, linear));
  const warm = { ...linear, warmupEpochs: 5 };
  assertAlmostEquals(learningRate(0, warm), 0.1, 1e-12);
  assertAlmostEquals(learningRate(3, warm), 0.4 * 242 / 245, 1e-12);
  assertEquals(learningRate(4, warm), linearRate(4, linear));
  assertEquals(learningRate(5, warm), linearRate(5, linear));
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
