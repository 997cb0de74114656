import { meanOf, spreadOf } from "../../report/spread.ts";
import { assertEquals } from "../assert.ts";

Deno.test("meanOf() is the mean with the deviation of a sample", () => {
  assertEquals(meanOf([2, 4, 4, 4, 5, 5, 7, 9]), {
    mean: 5,
    deviation: Math.sqrt(32 / 7),
    count: 8,
  });
  assertEquals(meanOf([3]), { mean: 3, deviation: 0, count: 1 });
  assertEquals(meanOf([]), undefined);
});

Deno.test("spreadOf() takes the mean where two or more runs have a value", () => {
  const spread = spreadOf("loss", [
    { name: "loss", points: [[1, 2], [2, 1]] },
    { name: "loss", points: [[1, 4], [3, 0]] },
  ])!;
  assertEquals(spread.mean, [[1, 3]]);
  assertEquals(spread.high, [[1, 3 + Math.SQRT2]]);
  assertEquals(spreadOf("loss", [{ name: "loss", points: [[1, 2]] }]), undefined);
});
