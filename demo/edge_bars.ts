/** The architecture weights of both cells: a box for each edge, in it a bar for each primitive left. */

import { stateName } from "../nn/draw.ts";
import { type CellKind, cellOf } from "../nn/genotypes.ts";
import { CELL_INPUTS, type Edge, EDGES, PRIMITIVES } from "../nn/primitives.ts";
import { make, makeSvg } from "./elements.ts";
import type { ArchitectureNews, CellWeights } from "./messages.ts";

/** The cells in the page's order, with their titles. */
export const CELLS: readonly (readonly [CellKind, string])[] = [
  ["normal", "Normal cell"],
  ["reduce", "Reduction cell"],
];

/** The smallest weight that a bar of full height stands for. */
const LEAST_TOP = 0.25;

/** Names the primitives in the colours and the order of the bars. */
export function drawLegend(place: HTMLElement): void {
  place.replaceChildren(...PRIMITIVES.map((name) => {
    const item = make("li", {}, name);
    item.style.setProperty("--primitive", `var(--${name})`);
    return item;
  }));
}

/** Draws the weights of both cells in place of what was there. */
export function drawWeights(place: HTMLElement, news: ArchitectureNews): void {
  place.replaceChildren(...CELLS.flatMap(([kind, title]) => {
    const { entries } = cellOf(news.genotype, kind), cell = news[kind];
    const top = Math.max(LEAST_TOP, ...cell.weights.flat());
    const boxes = EDGES.map((edge, index) => {
      const chosen = entries.some(([, source], entry) =>
        entry >> 1 === edge.node && source === edge.source
      );
      return edgeBox(edge, { cell, index, top, chosen });
    });
    return [make("h3", {}, title), make("ol", { class: "edges", "aria-label": title }, ...boxes)];
  }));
}

function edgeBox(
  edge: Edge,
  { cell, index, top, chosen }: {
    cell: CellWeights;
    index: number;
    top: number;
    chosen: boolean;
  },
): HTMLElement {
  const [from, to] = [stateName(edge.source), stateName(CELL_INPUTS + edge.node)];
  const primitives = cell.kept[index], weights = cell.weights[index];
  const values = primitives.map((name, i) => `${name} ${weights[i].toFixed(2)}`).join(", ");
  const label = `${from} to ${to}${chosen ? ", in the cell" : ""}: ${values}`;
  const bars = makeSvg("svg", {
    viewBox: `0 0 ${PRIMITIVES.length} 1`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": label,
  });
  primitives.forEach((name, i) => {
    const height = weights[i] / top, x = PRIMITIVES.indexOf(name) + 0.1;
    const bar = makeSvg("rect", { x, y: 1 - height, width: 0.8, height });
    bar.style.fill = `var(--${name})`;
    bars.append(bar);
  });
  const attributes = { title: values, ...(chosen && { "data-chosen": "" }) };
  return make("li", attributes, make("span", { "aria-hidden": "true" }, `${from} → ${to}`), bars);
}
