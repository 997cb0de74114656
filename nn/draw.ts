/**
 * Drawings of a cell in the look of the DARTS papers: boxes from left to right, inputs green,
 * nodes blue, the output khaki, each edge bearing its primitive.
 *
 * Graphviz lays the graph out and writes the SVG; resvg paints it. Both are WASM inside their
 * npm packages, and so is the font: Tinos has the metrics of Times, for which Graphviz
 * reserves room. No system font, network or file is read, so no permission is needed.
 */

import type { CellGenotype } from "./genotypes.ts";
import { CELL_INPUTS } from "./primitives.ts";

/** Name of a state: `c_{k-2}` and `c_{k-1}` are the cell's inputs, 0, 1, ... its nodes. */
export function stateName(state: number): string {
  return state < CELL_INPUTS ? `c_{k-${CELL_INPUTS - state}}` : String(state - CELL_INPUTS);
}

/** Name of a cell's output. */
export const OUTPUT_NAME = "c_{k}";

/** Fonts an SVG viewer may use, all of one width; the PNG uses the third. */
const FONT_FAMILY = "Times New Roman,Times,Tinos,serif";

/**
 * The graph in Graphviz's language. An edge's primitive is a node without a border in the
 * middle of its line: Graphviz routes lines around nodes, but through edge labels.
 */
function cellDot({ entries, concat }: CellGenotype, title: string): string {
  const box = (name: string, colour: string) => `${quote(name)} [fillcolor=${colour}];`;
  const nodes = Array.from({ length: entries.length / 2 }, (_, i) => stateName(CELL_INPUTS + i));
  const [older, newer] = [stateName(0), stateName(1)];
  return [
    "digraph {",
    "rankdir=LR; bgcolor=white; pad=0.2; nodesep=0.22; ranksep=0.35;",
    `label=${quote(title)}; labelloc=t; fontname=Times; fontsize=24;`,
    'node [shape=box, style="filled,rounded", fontname=Times, fontsize=20,',
    "  height=0.5, width=0.5, penwidth=2];",
    "edge [arrowsize=0.8];",
    box(older, "darkseagreen2"),
    box(newer, "darkseagreen2"),
    `{ rank=same; ${quote(older)} -> ${quote(newer)} [style=invis]; }`,
    ...nodes.map((name) => box(name, "lightblue")),
    box(OUTPUT_NAME, "palegoldenrod"),
    'node [shape=plaintext, style="", fontsize=18, height=0.3, width=0, margin="0.04,0.02"];',
    "edge [weight=2];",
    ...entries.flatMap(([primitive, source], index) => [
      `op${index} [label=${quote(primitive)}];`,
      `${quote(stateName(source))} -> op${index} [arrowhead=none, headport=w];`,
      `op${index} -> ${quote(nodes[index >> 1])} [tailport=e];`,
    ]),
    "edge [weight=1, color=gray40];",
    ...concat.map((state) => `${quote(stateName(state))} -> ${quote(OUTPUT_NAME)};`),
    "}",
  ].join("\n");
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/**
 * Draws one cell as SVG text. The same cell gives the same text.
 *
 * @param title written above the drawing; none by default
 */
export async function cellSvg(
  cell: CellGenotype,
  { title = "" }: { title?: string } = {},
): Promise<string> {
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz");
  const graphviz = await Graphviz.load();
  const svg = graphviz.dot(cellDot(cell, title));
  return svg.replaceAll('font-family="Times"', `font-family="${FONT_FAMILY}"`);
}

/**
 * Paints an SVG of `cellSvg` on white as a PNG.
 *
 * @param scale pixels per CSS pixel; default 2
 * @returns the PNG file's bytes
 * @throws {RangeError} when scale is not above 0 and at most 16
 */
export async function svgToPng(
  svg: string,
  { scale = 2 }: { scale?: number } = {},
): Promise<Uint8Array> {
  if (!(scale > 0 && scale <= 16)) {
    throw new RangeError(`Cannot draw a PNG: got scale ${scale}, not above 0 and at most 16`);
  }
  const { Resvg, font } = await painter();
  const resvg = new Resvg(svg, {
    background: "white",
    fitTo: { mode: "zoom", value: scale },
    font: { fontBuffers: [font], defaultFontFamily: "Tinos" },
  });
  const image = resvg.render();
  const png = image.asPng();
  image.free();
  resvg.free();
  return png;
}

let loading: ReturnType<typeof loadPainter> | undefined;

/** The painter and its font, loaded once: resvg refuses a second start. */
function painter(): ReturnType<typeof loadPainter> {
  return loading ??= loadPainter();
}

async function loadPainter() {
  const [{ initWasm, Resvg }, wasm, font] = await Promise.all([
    import("@resvg/resvg-wasm"),
    import("@resvg/resvg-wasm/index_bg.wasm", { with: { type: "bytes" } }),
    import("@fontsource/tinos/files/tinos-latin-400-normal.woff2", { with: { type: "bytes" } }),
  ]);
  await initWasm(wasm.default);
  return { Resvg, font: font.default };
}
