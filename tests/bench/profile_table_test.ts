/** The table of a step of two programs. */

import { profileTable } from "../../bench/profile_table.ts";
import { assertEquals } from "../assert.ts";

Deno.test("profileTable() sorts programs by time and gives their shares of the sum", () => {
  const programs = [
    { name: "pool", calls: 2, milliseconds: 10 },
    { name: "convolution", calls: 3, milliseconds: 40 },
  ];
  const text = profileTable(programs, { name: "tfjs's own, not timed", calls: 7 });
  assertEquals(text.split("\n").map((line) => line.split(/ {2,}/)), [
    ["program", "calls", "ms", "share"],
    ["convolution", "3", "40.0", "80.0 %"],
    ["pool", "2", "10.0", "20.0 %"],
    ["all of these", "5", "50.0", "100.0 %"],
    ["tfjs's own, not timed", "7"],
  ]);
});
