/**
 * The page of one run or several: one HTML file that needs no other.
 *
 * Text and tables are made here; the charts are drawn in the browser by `page/charts.js` with uPlot (MIT),
 * both of which the page carries. Invariant: its policy lets no script and no style run but these, known by
 * their digests, and no address be fetched, but for the page itself where it is live.
 */

import uplot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import {
  CELL_KINDS,
  edgeCharts,
  type EpochWeights,
  shareRange,
  strongest,
  weightsOf,
} from "./architecture.ts";
import { type Chart, curveCharts } from "./charts.ts";
import { stateName } from "../nn/draw.ts";
import { CELL_INPUTS, CELL_NODES, EDGES, PRIMITIVES } from "../nn/primitives.ts";
import { Html, html, jsonScript } from "./html.ts";
import chartsScript from "./page/charts.js" with { type: "text" };
import pageScript from "./page/page.js" with { type: "text" };
import pageStyle from "./page/page.css" with { type: "text" };
import type { RunRecord } from "./read_run.ts";
import { cellsSection, configSection, genotypesSection, runsTable } from "./sections.ts";

const SCRIPT = [uplot, chartsScript, pageScript].join("\n");
const STYLE = [uplotStyle, pageStyle].join("\n");

/** The page of runs. */
export async function reportPage(
  runs: readonly RunRecord[],
  { live = false }: { live?: boolean } = {},
): Promise<string> {
  const charts: Chart[] = [];
  const place = (chart: Chart) => {
    charts.push(chart);
    return html`
      <figure class="chart${chart.small ? " small" : ""}">
        <figcaption>${chart.title}</figcaption>
        <div id="${chart.id}" role="img" tabindex="0"></div>
      </figure>
    `;
  };
  const kinds = Map.groupBy(runs, ({ kind }) => kind);
  const curves = [...kinds].map(([kind, ofKind]) => {
    const figures = curveCharts(kind, ofKind).map(place);
    const name = kind === "search" ? "Search" : "Training";
    return figures.length === 0 ? undefined : html`
      <h2>${name}</h2>
      <div class="charts">${figures}</div>
    `;
  });
  const sections = await Promise.all(runs.map((run, index) => runSection(run, { index, place })));
  const main = html`${runsTable(runs)}${curves}${sections}`;
  const title = runs.length === 1 ? runs[0].name : `${runs.length} runs`;
  return await wholePage({ title, main, charts, live });
}

/** The page of a live run that has not made its folder yet. */
export function waitingPage(): Promise<string> {
  const main = html`<p>The run is starting.</p>`;
  return wholePage({ title: "A run", main, charts: [], live: true });
}

async function runSection(
  run: RunRecord,
  { index, place }: { index: number; place: (chart: Chart) => Html },
): Promise<Html> {
  const id = `run-${index}`, weights = weightsOf(run);
  const lost = run.unreadable === 0
    ? undefined
    : html`<p class="notice">${run.unreadable} lines of this run's files could not be read, and are left out.</p>`;
  const alphas = weights.length === 0
    ? undefined
    : html`<h3>Architecture weights</h3>${legend(shareRange(weights))}${
      CELL_KINDS.map((kind) => {
        const charts = edgeCharts(run, weights, { kind, id: `${id}-${kind}` });
        return edgesPicture(kind, charts.map(place), weights[weights.length - 1]);
      })
    }`;
  return html`
    <section id="${id}">
      <h2>${run.name}</h2>
      ${lost}${alphas}${await cellsSection(run)}${genotypesSection(run)}
      ${configSection(run, `${id}-options`)}
    </section>
  `;
}

function legend([low, high]: readonly [number, number]): Html {
  const items = PRIMITIVES.map((primitive, index) =>
    html`<li><span class="swatch c${index + 1}"></span>${primitive}</li>`
  );
  const scale = `${low.toFixed(3)} to ${high.toFixed(3)}`;
  const text =
    "The softmax weights of each edge over the epochs, times the number of its primitives: " +
    "1 is an equal share. Each node has a row, each state it may read a column; all charts go from " +
    `${scale}. Below a chart is its strongest primitive at the end, with its weight; arrow keys read ` +
    "the others.";
  return html`
    <p>${text}</p>
    <ul class="legend">${items}</ul>
  `;
}

/** The small charts as the triangle of a cell's edges, each with its strongest primitive at the end. */
function edgesPicture(
  kind: typeof CELL_KINDS[number],
  figures: readonly Html[],
  last: EpochWeights,
): Html {
  const states = Array.from({ length: CELL_INPUTS + CELL_NODES - 1 }, (_, state) => state);
  const head = states.map((state) => html`<th scope="col">${stateName(state)}</th>`);
  const rows = Array.from({ length: CELL_NODES }, (_, node) => {
    const cells = states.slice(0, CELL_INPUTS + node).map((source) => {
      const edge = EDGES.findIndex((edge) => edge.node === node && edge.source === source);
      const [primitive, weight] = strongest(last[kind], edge);
      return html`<td>${figures[edge]}<p class="strongest">${primitive} ${
        weight.toFixed(3)
      }</p></td>`;
    });
    return html`<tr><th scope="row">node ${node}</th>${cells}</tr>`;
  });
  const caption = `${kind === "normal" ? "Normal" : "Reduction"} cell: weights of its edges`;
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table class="edges">
        <caption>${caption}</caption>
        <thead>
          <tr><td></td>${head}</tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </div>
  `;
}

async function wholePage(
  { title, main, charts, live }: { title: string; main: Html; charts: Chart[]; live: boolean },
): Promise<string> {
  const connect = live ? "'self'" : "'none'";
  const policy = `default-src 'none'; script-src ${await digest(SCRIPT)}; ` +
    `style-src ${await digest(STYLE)}; img-src data:; connect-src ${connect}; ` +
    "base-uri 'none'; form-action 'none'";
  const page = html`
    <!DOCTYPE html>
    <html lang="en" ${live ? new Html(' data-live=""') : undefined}>
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${policy}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <link rel="icon" href="data:,">
        <title>${title}: P-DARTS</title>
        <style>${new Html(STYLE)}</style>
      </head>
      <body><header><h1>${title}</h1><p id="live" role="status" aria-live="polite"></p></header>
    <main>${main}</main>
    ${jsonScript("charts", charts)}
    <script>${new Html(SCRIPT)}</script>
      </body>
    </html>
  `;
  return page.text;
}

/** The digest by which a policy knows a script or a style. */
async function digest(content: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content));
  return `'sha256-${new Uint8Array(bytes).toBase64()}'`;
}
