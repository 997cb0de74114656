/** Tests of the terminal drawings. */

import { assertEquals } from "../assert.ts";
import { cellText } from "../../nn/draw_text.ts";
import { cellOf, GENOTYPES, PDARTS } from "../../nn/genotypes.ts";

Deno.test("cellText() draws P-DARTS's normal cell", () => {
  assertEquals(
    cellText(cellOf(PDARTS, "normal"), { title: "normal cell" }),
    `normal cell

 c_{k-2} c_{k-1}
    │       │
    ├───────┼───────╮  skip_connect
    │       ├───────┤  dil_conv_3x3
    │       │      (0)
    ├───────┼───────┼───────╮  skip_connect
    │       ├───────┼───────┤  sep_conv_3x3
    │       │       │      (1)
    │       ╰───────┼───────┼───────╮  sep_conv_3x3
    │               │       ├───────┤  sep_conv_3x3
    │               │       │      (2)
    ╰───────────────┼───────┼───────┼───────╮  sep_conv_3x3
                    │       │       ├───────┤  dil_conv_5x5
                    │       │       │      (3)
                    ╰───────┴───────┴───────┴──▶ c_{k}`,
  );
});

Deno.test("cellText() ends the rail of a node that is not concatenated at its last use", () => {
  const lines = cellText(cellOf(GENOTYPES.AmoebaNet, "reduce")).split("\n");
  assertEquals(lines.slice(-5), [
    "    │                       │       │      (3)",
    "    ╰───────────────────────┼───────┼───────┼───────╮  conv_7x1_1x7",
    "                            │       │       ╰───────┤  sep_conv_3x3",
    "                            │       │              (4)",
    "                            ╰───────┴───────────────┴──▶ c_{k}",
  ]);
});

Deno.test("cellText() draws no rail for an input that no operation reads", () => {
  const text = cellText({ entries: [["skip_connect", 1], ["none", 1]], concat: [2] });
  assertEquals(text.split("\n"), [
    " c_{k-2} c_{k-1}",
    "            │",
    "            ├───────╮  skip_connect",
    "            ╰───────┤  none",
    "                   (0)",
    "                    ╰──▶ c_{k}",
  ]);
});

Deno.test("cellText() keeps to 80 columns and shows each primitive in order", () => {
  for (const genotype of Object.values(GENOTYPES)) {
    for (const kind of ["normal", "reduce"] as const) {
      const cell = cellOf(genotype, kind);
      const text = cellText(cell);
      const lines = text.split("\n");
      assertEquals(Math.max(...lines.map((line) => line.length)) <= 80, true);
      assertEquals(lines.every((line) => line === line.trimEnd()), true);
      assertEquals(
        [...text.matchAll(/[╮┤] {2}(\w+)/g)].map(([, primitive]) => primitive),
        cell.entries.map(([primitive]) => primitive),
      );
    }
  }
});
