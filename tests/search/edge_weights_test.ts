/** Tests of softmaxRows() and of the checks on edge weights. */

import { assertAlmostEquals, assertEquals, assertThrows } from "../assert.ts";
import { type Primitive, PRIMITIVES } from "../../nn/primitives.ts";
import { allPrimitives, checkEdgeWeights, softmaxRows } from "../../search/edge_weights.ts";

Deno.test("softmaxRows() gives exp(a) over its row's sum", () => {
  const [row] = softmaxRows([[Math.log(1), Math.log(2), Math.log(5)]]);
  [1 / 8, 2 / 8, 5 / 8].forEach((want, i) => assertAlmostEquals(row[i], want, 1e-15));
});

Deno.test("softmaxRows() gives equal weights to equal alphas", () => {
  assertEquals(softmaxRows([new Float32Array([3, 3, 3, 3]), [-7]]), [
    [0.25, 0.25, 0.25, 0.25],
    [1],
  ]);
});

Deno.test("softmaxRows() neither overflows nor yields NaN when alphas are huge", () => {
  assertEquals(softmaxRows([[1000, 0], [-1000, -1000]]), [[1, 0], [0.5, 0.5]]);
});

Deno.test("softmaxRows() throws a RangeError when a row is empty or an alpha is not finite", () => {
  assertThrows(() => softmaxRows([[1], []]), RangeError, "row 1 is empty");
  assertThrows(() => softmaxRows([[1, NaN]]), RangeError, "got alpha NaN in row 0");
  assertThrows(() => softmaxRows([[1], [Infinity]]), RangeError, "got alpha Infinity in row 1");
});

Deno.test("allPrimitives() gives each of 14 edges its own list of all eight", () => {
  const kept = allPrimitives();
  assertEquals(kept.length, 14);
  kept[0].pop();
  assertEquals(kept[1], [...PRIMITIVES]);
});

Deno.test("checkEdgeWeights() throws a RangeError when weights do not fit the primitives", () => {
  const kept: Primitive[][] = allPrimitives();
  const weights = kept.map((row) => row.map(() => 1 / 8));
  checkEdgeWeights({ weights, kept }, "test");
  const changed = <T>(rows: T[][], row: T[]) => rows.map((old, edge) => edge === 3 ? row : old);
  const check = (w: number[][], k: Primitive[][]) => () =>
    checkEdgeWeights({ weights: w, kept: k }, "test");
  assertThrows(check(weights.slice(1), kept), RangeError, "got 13 rows of weights and 14 of");
  assertThrows(check(changed(weights, [1]), kept), RangeError, "edge 3 has 1 weights for 8");
  assertThrows(
    check(changed(weights, [0.5, 0.5]), changed(kept, ["skip_connect", "none"])),
    RangeError,
    "edge 3 keeps [skip_connect, none]",
  );
  assertThrows(check(changed(weights, []), changed(kept, [])), RangeError, "edge 3 keeps []");
  for (const bad of [NaN, -0.1, 1.1]) {
    assertThrows(
      check(changed(weights, [bad]), changed(kept, ["none"])),
      RangeError,
      `edge 3 has the weight ${bad}`,
    );
  }
});
