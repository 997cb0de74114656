/** Tests of the choice of covering cases, on which the reach of the op suites rests. */

import { assert, assertEquals } from "../assert.ts";
import { coveringSet } from "./covering_set.ts";

interface Case {
  a: number;
  b: string;
  c: boolean;
  d: number;
}

const FACTORS = {
  a: [1, 2, 3, 4, 5, 6],
  b: ["x", "y", "z"],
  c: [true, false],
  d: [1, 2, 3, 4],
} as const;

Deno.test("coveringSet() holds every allowed pair of values", () => {
  const allowed = ({ a, d }: Case) => a * d <= 12;
  const cases = coveringSet<Case>(FACTORS, { allowed });
  for (const a of FACTORS.a) {
    for (const d of FACTORS.d) {
      assertEquals(cases.some((one) => one.a === a && one.d === d), a * d <= 12, `${a} ${d}`);
    }
    for (const b of FACTORS.b) assert(cases.some((one) => one.a === a && one.b === b), `${a} ${b}`);
  }
});

Deno.test("coveringSet() needs far fewer cases than the full product, the same every time", () => {
  const cases = coveringSet<Case>(FACTORS, { allowed: () => true });
  assert(cases.length >= 24 && cases.length <= 32, `${cases.length} cases`);
  assertEquals(coveringSet<Case>(FACTORS, { allowed: () => true }), cases);
});
