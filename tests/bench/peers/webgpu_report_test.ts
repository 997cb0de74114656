/** The WebGPU comparison's figures on times small enough to check by hand. */

import {
  comparePeer,
  describePeer,
  lossDifference,
  peerTable,
  type StepTimes,
} from "../../../bench/peers/webgpu_report.ts";
import {
  assertAlmostEquals,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "../../assert.ts";

function times(first: number, weight: number[], alpha: number[]): StepTimes {
  const steps = { first: { weight: first, alpha: 2 * first }, later: { weight, alpha } };
  return { start: 12.5, ...steps, losses: [2.3], reservedBytes: 5e9 };
}

Deno.test("comparePeer() divides the peer's times by ours, first steps apart", () => {
  const result = comparePeer(times(900, [90, 80], [60]), times(100, [10, 9, 8], [5, 7]));
  assertAlmostEquals(result.speedup.weight, 85 / 9);
  assertAlmostEquals(result.speedupOfMinima.weight, 10);
  assertAlmostEquals(result.speedup.alpha, 10);
  assertAlmostEquals(result.speedupOfFirst.alpha, 9);
  assertEquals(result.ours.weight.n, 3);
});

Deno.test("lossDifference() takes the largest over the steps that both took", () => {
  const tolerance = 0.1;
  assertAlmostEquals(lossDifference([2, 1.02, 7], [2, 1], { tolerance }), 0.02);
  assertEquals(lossDifference([2], [2, 1], { tolerance }), 0);
});

Deno.test("lossDifference() throws when losses differ too much or are not finite", () => {
  for (const losses of [[2, 1.2], [2, NaN], [2, Infinity]]) {
    const compare = () => lossDifference(losses, [2, 1], { tolerance: 0.1 });
    assertThrows(compare, Error, `the losses of step 2 are ${losses[1]} and 1`);
  }
});

Deno.test("peerTable() shows later steps beside ours, and everyone's first steps", () => {
  const peers = { "plain tfjs": times(150_000, [60_000], [50_000]) };
  const text = peerTable({ ours: times(9000, [5000], [2000]), peers });
  assertStringIncludes(text, "12.00x");
  assertStringIncludes(text, "25.00x");
  const [title, ours, plain] = text.split("\n").slice(-3);
  assertEquals(title.split(/ {2,}/), [
    "with compilation",
    "start ms",
    "first weight ms",
    "first alpha ms",
    "reserved GB",
  ]);
  assertEquals(ours.split(/ {2,}/), ["ours", "12.5", "9000", "18000", "5.00"]);
  assertEquals(plain.split(/ {2,}/), ["plain tfjs", "12.5", "150000", "300000", "5.00"]);
});

Deno.test("peerTable() leaves memory open where it is not known", () => {
  const peers = { PyTorch: { ...times(1, [1], [1]), reservedBytes: 0 } };
  assertEquals(peerTable({ ours: times(1, [1], [1]), peers }).split(/ +/).at(-1), "-");
});

Deno.test("describePeer() says the speed-ups in one line", () => {
  const comparison = comparePeer(times(900, [90], [60]), times(100, [10], [5]));
  assertEquals(
    describePeer("plain tfjs", comparison),
    "against plain tfjs: weight step 9.00x as fast, alpha step 12.00x as fast; " +
      "first weight step, with compilation, 9.00x as fast",
  );
});
