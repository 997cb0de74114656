/** Tests of the table of counts. */

import { assertEquals } from "../assert.ts";
import { countCifarNetwork, countImageNetNetwork } from "../../nn/count.ts";
import { formatCounts, millions } from "../../nn/count_table.ts";
import { PDARTS } from "../../nn/genotypes.ts";

Deno.test("millions() rounds to two decimals", () => {
  assertEquals([3_433_798, 0, 5000].map(millions), ["3.43 M", "0.00 M", "0.01 M"]);
});

Deno.test("formatCounts() lists every part and the total", () => {
  const lines = formatCounts(countCifarNetwork(PDARTS, { layers: 3 })).split("\n");
  assertEquals(lines.length, 1 + 1 + 5 + 1 + 1);
  assertEquals(lines[0], "part        kind           output  parameters  mult-adds  operations");
  assertEquals(lines[2], "stem        stem        32x32x108       3,132     2.99 M      3.21 M");
  assertEquals(lines[8].startsWith("total"), true);
});

Deno.test("formatCounts() keeps to 80 columns, all lines alike", () => {
  const network = countImageNetNetwork(PDARTS, { auxiliary: true });
  const widths = new Set(formatCounts(network).split("\n").map((line) => line.length));
  assertEquals(widths.size, 1);
  assertEquals(Math.max(...widths) <= 80, true);
});
