/** Tests of numbers of the host that may differ from step to step. */

import { derivedNumber, hostNumber } from "../../backends/host_number.ts";
import { assertEquals } from "../assert.ts";

Deno.test("derivedNumber() is fixed for numbers, and asks functions anew each time", () => {
  let rate = 1;
  const sum = (a: number, b: number) => a + b;
  assertEquals(derivedNumber(sum, 2, 3), 5);
  const derived = derivedNumber(sum, () => rate, 10);
  assertEquals(hostNumber(derived), 11);
  rate = 2;
  assertEquals(hostNumber(derived), 12);
});
