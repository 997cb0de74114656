/** The drawings of the two cells, and the files that can be downloaded with them. */

import { cellSvg, stateName, svgToPng } from "../nn/draw.ts";
import { type CellGenotype, cellOf, type Genotype } from "../nn/genotypes.ts";
import { toJson } from "../nn/genotype_json.ts";
import { formatPython } from "../nn/genotype_python.ts";
import { CELLS } from "./edge_bars.ts";
import { make } from "./elements.ts";

/** Makes a file's content when it is asked for; by the names that `deno task search` gives. */
export type Files = ReadonlyMap<string, () => Promise<BlobPart> | BlobPart>;

/** The drawings' names, without their endings. */
const DRAWINGS = { normal: "normal_cell", reduce: "reduction_cell" } as const;

/** Draws a genotype's cells in place of what was there, and returns its files. */
export async function drawCells(place: HTMLElement, genotype: Genotype): Promise<Files> {
  const files = new Map<string, () => Promise<BlobPart> | BlobPart>([
    ["genotype.json", () => toJson(genotype)],
    ["genotype.py", () => formatPython(genotype) + "\n"],
  ]);
  const figures: HTMLElement[] = [];
  for (const [kind, title] of CELLS) {
    const cell = cellOf(genotype, kind), svg = await cellSvg(cell);
    const src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    const image = make("img", { src, alt: `${title}: ${inWords(cell)}` });
    figures.push(
      make(
        "figure",
        {},
        make("div", { tabindex: "0", role: "group", "aria-label": title }, image),
        make("figcaption", {}, title),
      ),
    );
    files.set(`${DRAWINGS[kind]}.svg`, () => svg);
    files.set(`${DRAWINGS[kind]}.png`, async () => await svgToPng(svg) as Uint8Array<ArrayBuffer>);
  }
  place.replaceChildren(...figures);
  return files;
}

/** What enters each node. */
function inWords({ entries }: CellGenotype): string {
  return entries.map(([primitive, source], index) =>
    `${stateName(source)} to ${index >> 1} by ${primitive}`
  ).join(", ");
}

/** Gives the visitor a file. */
export async function download(files: Files, name: string): Promise<void> {
  const href = URL.createObjectURL(new Blob([await files.get(name)!()]));
  make("a", { href, download: name }).click();
  URL.revokeObjectURL(href);
}
