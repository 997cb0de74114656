/** Tests of the SVG and PNG drawings; they need no permission. */

import { assertEquals, assertRejects } from "../assert.ts";
import { decode } from "fast-png";
import { cellSvg, stateName, svgToPng } from "../../nn/draw.ts";
import { cellOf, GENOTYPES, PDARTS } from "../../nn/genotypes.ts";

/** The texts of an SVG in the order of drawing. */
function texts(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)]
    .map(([, text]) => text.replaceAll("&#45;", "-").replaceAll("&amp;", "&"));
}

Deno.test("stateName() names the inputs c_{k-2} and c_{k-1} and counts the nodes from 0", () => {
  assertEquals([0, 1, 2, 5].map(stateName), ["c_{k-2}", "c_{k-1}", "0", "3"]);
});

Deno.test("cellSvg() draws every state and every primitive once", async () => {
  for (const genotype of Object.values(GENOTYPES)) {
    const cell = cellOf(genotype, "reduce");
    const names = Array.from({ length: 2 + cell.entries.length / 2 }, (_, i) => stateName(i));
    const want = [...names, "c_{k}", ...cell.entries.map(([primitive]) => primitive)];
    assertEquals(texts(await cellSvg(cell)).sort(), want.sort());
  }
});

Deno.test("cellSvg() draws a line for each operation's two halves and each concatenation", async () => {
  const svg = await cellSvg(cellOf(PDARTS, "normal"));
  assertEquals(svg.match(/class="edge"/g)?.length, 2 * 8 + 4);
  assertEquals(svg.match(/<polygon[^>]*fill="black"/g)?.length, 8);
});

Deno.test("cellSvg() writes the title as it is given", async () => {
  const title = 'a "normal" cell \\N & more';
  const svg = await cellSvg(cellOf(PDARTS, "normal"), { title });
  assertEquals(texts(svg)[0].replaceAll("&quot;", '"'), title);
});

Deno.test("cellSvg() gives the same text for the same cell", async () => {
  const cell = cellOf(PDARTS, "reduce");
  assertEquals(await cellSvg(cell), await cellSvg(cell));
});

Deno.test("svgToPng() paints boxes and text at the scale asked", async () => {
  const svg = await cellSvg(cellOf(PDARTS, "normal"), { title: "normal cell" });
  const small = decode(await svgToPng(svg, { scale: 1 }));
  const large = decode(await svgToPng(svg, { scale: 3 }));
  assertEquals(Math.round(large.width / small.width), 3);
  assertEquals(Math.round(large.height / small.height), 3);
  // The title is the only thing in the top sixth: without a font that would be blank.
  const top = small.width * Math.floor(small.height / 6);
  assertEquals(dark(small.data, { pixels: top, channels: small.channels }) > 100, true);
});

/** How many of the first pixels are nearly black. */
function dark(
  data: ArrayLike<number>,
  { pixels, channels }: { pixels: number; channels: number },
): number {
  let count = 0;
  for (let pixel = 0; pixel < pixels; pixel++) if (data[pixel * channels] < 64) count++;
  return count;
}

Deno.test("svgToPng() rejects with a RangeError when the scale is out of range", async () => {
  for (const scale of [0, -1, 17, NaN]) {
    await assertRejects(
      () => svgToPng("<svg/>", { scale }),
      RangeError,
      `Cannot draw a PNG: got scale ${scale}`,
    );
  }
});
