/** Tests of drop path's factors: their values, their share, and what they depend on. */

import { dropPathFactors, dropPathRate } from "../../evaluate/drop_path.ts";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "../assert.ts";

const DRAW = { key: [1, 2] as [number, number], pass: 3, rate: 0.25, rows: 100, batch: 100 };

Deno.test("dropPathFactors() drops its share, and keeps the mean", () => {
  const factors = dropPathFactors(DRAW);
  assertEquals(factors.length, 10_000);
  assertEquals([...new Set(factors)].sort(), [0, Math.fround(4 / 3)]);
  const dropped = factors.filter((factor) => factor === 0).length;
  // Five standard deviations of a binomial of 10,000 draws.
  assert(Math.abs(dropped - 2500) < 5 * Math.sqrt(10_000 * 0.25 * 0.75), `${dropped} dropped`);
});

Deno.test("dropPathFactors() draws rows and samples apart, by key and pass", () => {
  const factors = dropPathFactors(DRAW), same = dropPathFactors(DRAW);
  assertEquals(same, factors);
  assertNotEquals(factors.slice(0, 100), factors.slice(100, 200));
  assertNotEquals(dropPathFactors({ ...DRAW, pass: 4 }), factors);
  assertNotEquals(dropPathFactors({ ...DRAW, key: [1, 3] }), factors);
});

Deno.test("dropPathFactors() are ones at rate 0, and rates of 1 or more are refused", () => {
  assertEquals(new Set(dropPathFactors({ ...DRAW, rate: 0 })), new Set([1]));
  assertThrows(
    () => dropPathFactors({ ...DRAW, rate: 1 }),
    RangeError,
    "want a rate in [0, 1), got 1",
  );
});

Deno.test("dropPathRate() rises from 0 towards the final rate", () => {
  const rate = (epoch: number) => dropPathRate(epoch, { final: 0.3, epochs: 600 });
  assertEquals(rate(0), 0);
  assertAlmostEquals(rate(300), 0.15, 1e-12);
  assertAlmostEquals(rate(599), 0.2995, 1e-12);
});
