/** The drawings of a page's cells, each drawn once however often the page is made. */

import { cellSvg } from "../nn/draw.ts";
import { type CellGenotype, cellOf, type Genotype } from "../nn/genotypes.ts";
import { CELL_KINDS } from "./architecture.ts";

const drawings = new Map<string, Promise<string>>();

/** Most drawings that are kept; a live search makes new ones with every epoch. */
const MOST_DRAWINGS = 200;

/** A drawing as a `data:` address. */
function drawing(cell: CellGenotype): Promise<string> {
  const key = JSON.stringify(cell);
  const known = drawings.get(key);
  if (known) return known;
  if (drawings.size >= MOST_DRAWINGS) drawings.clear();
  const made = cellSvg(cell).then((svg) =>
    `data:image/svg+xml;base64,${new TextEncoder().encode(svg).toBase64()}`
  );
  drawings.set(key, made);
  return made;
}

/** Both cells of a genotype, drawn: the normal and the reduction cell. */
export async function drawnCells(genotype: Genotype): Promise<[normal: string, reduce: string]> {
  const [normal, reduce] = CELL_KINDS.map((kind) => drawing(cellOf(genotype, kind)));
  return [await normal, await reduce];
}
