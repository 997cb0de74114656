/** The comparison's figures on samples small enough to check by hand. */

import {
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "../../assert.ts";
import {
  compare,
  fastest,
  type Measurement,
  paceTable,
  quantile,
  summarise,
  table,
} from "../../../bench/peers/report.ts";

const measurement = (weight: number[], alpha: number[], peakBytes: number): Measurement => ({
  samples: { weight, alpha },
  peakBytes,
});

Deno.test("quantile() interpolates between neighbours when the place is not whole", () => {
  assertAlmostEquals(quantile([4, 1, 2, 3], 0.5), 2.5);
  assertAlmostEquals(quantile([4, 1, 2, 3], 0.25), 1.75);
  assertEquals(quantile([7], 0.75), 7);
});

Deno.test("quantile() throws when there are no samples", () => {
  assertThrows(() => quantile([], 0.5), RangeError, "no samples");
});

Deno.test("summarise() keeps the order of the samples it is given", () => {
  const samples = [30, 10, 20];
  assertEquals(summarise(samples), { n: 3, median: 20, min: 10, max: 30, iqr: 10 });
  assertEquals(samples, [30, 10, 20]);
});

Deno.test("compare() divides PyTorch's medians by ours, and our memory by PyTorch's", () => {
  const result = compare(measurement([9, 8, 40], [6, 6], 8e9), measurement([2, 3, 4], [4, 2], 2e9));
  assertAlmostEquals(result.speedup.weight, 3);
  assertAlmostEquals(result.speedupOfMinima.weight, 4);
  assertAlmostEquals(result.speedup.alpha, 2);
  assertAlmostEquals(result.memoryRatio, 0.25);
});

Deno.test("fastest() chooses by both steps together among the names that were measured", () => {
  const ours = measurement([1], [1], 1);
  const comparisons = {
    a: compare(measurement([10], [1], 1), ours),
    b: compare(measurement([4], [6], 1), ours),
    c: compare(measurement([1], [1], 1), ours),
  };
  assertEquals(fastest(comparisons, ["a", "b", "missing"]), "b");
  assertEquals(fastest(comparisons, ["missing"]), undefined);
});

Deno.test("table() shows both contestants' times and the memory ratio", () => {
  const text = table({
    nchw: compare(measurement([9000], [8000], 8e9), measurement([2500], [2000], 2e9)),
  });
  assertStringIncludes(text, "3.60x");
  assertStringIncludes(text, "4.00x");
  assertStringIncludes(text, "25.0 %");
});

Deno.test("paceTable() divides images and operations by the medians", () => {
  const comparisons = { nchw: compare(measurement([800], [400], 1), measurement([200], [100], 1)) };
  const operations = { weight: 8e9, alpha: 1e9 };
  const [, weight, alpha] = paceTable(comparisons, { batch: 32, operations }).split("\n");
  assertEquals(weight.split(/ +/), ["nchw", "weight", "40.0", "10.0", "160.0", "40.0"]);
  assertEquals(alpha.split(/ +/), ["nchw", "alpha", "80.0", "2.5", "320.0", "10.0"]);
});
