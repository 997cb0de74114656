/** The parts of a page that are text: the table of runs, and of each run its cells, genotypes and options. */

import { formatPython } from "../nn/genotype_python.ts";
import { millions } from "../nn/count_table.ts";
import type { Genotype } from "../nn/genotypes.ts";
import { formatDuration } from "../nn/progress.ts";
import { genotypeIn, type NamedGenotype, stageGenotypes, weightsOf } from "./architecture.ts";
import { drawnCells } from "./cells.ts";
import { bestFigure, networkOf, percent, placeText, secondsOf } from "./figures.ts";
import { type Content, type Html, html } from "./html.ts";
import { type Line, number, record, type RunRecord, text } from "./read_run.ts";
import { meanOf } from "./spread.ts";

/** A table that scrolls by itself where it is wider than the page. */
function table(caption: string, head: readonly Content[], rows: readonly Html[]): Html {
  const cells = head.map((name) => html`<th scope="col">${name}</th>`);
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table>
        <caption>${caption}</caption>
        <thead>
          <tr>${cells}</tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </div>
  `;
}

function row(cells: readonly Content[]): Html {
  const [first, ...rest] = cells;
  return html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`;
}

/** Text that may be long, in lines. */
function longText(content: string): Content {
  return content === "" ? "" : html`<div class="text">${content}</div>`;
}

function countText(count: number | undefined): string {
  return count === undefined ? "" : millions(count);
}

function stateText({ state }: RunRecord): Html {
  const { name, reason } = state;
  const shown = reason === undefined ? name : `${name}: ${reason}`;
  return html`<span class="state ${name}">${shown}</span>`;
}

/** All runs in one table, and the mean over those of a kind. */
export function runsTable(runs: readonly RunRecord[]): Html {
  const rows = runs.map((run, index) => {
    const best = bestFigure(run), { parameters, multiplyAdds } = networkOf(run);
    return row([
      html`<a href="#run-${index}">${run.name}</a>`,
      run.kind,
      text(run.config.dataset),
      stateText(run),
      placeText(run),
      best && `${percent(best.top1)} (${best.name})`,
      countText(parameters),
      countText(multiplyAdds),
      formatDuration(1000 * secondsOf(run)),
      longText(text(run.options.note)),
    ]);
  });
  const head = [
    "run",
    "kind",
    "data set",
    "state",
    "place",
    "top-1",
    "parameters",
    "multiply-adds",
  ];
  return table("Runs", [...head, "time", "note"], [...rows, ...meanRows(runs)]);
}

function meanRows(runs: readonly RunRecord[]): Html[] {
  return [...Map.groupBy(runs, ({ kind }) => kind)].flatMap(([kind, ofKind]) => {
    const tops = ofKind.map((run) => bestFigure(run)?.top1).filter((top1) => top1 !== undefined);
    const mean = meanOf(tops);
    if (!mean || mean.count < 2) return [];
    const shown = `${percent(mean.mean)} ± ${percent(mean.deviation)}`;
    return [row([`mean of ${mean.count}`, kind, "", "", "", shown, "", "", "", ""])];
  });
}

/** The cells of a run: of a search stage by stage and those to use, of a training those it trains. */
export async function cellsSection(run: RunRecord): Promise<Html | undefined> {
  const named = [...stageGenotypes(run, weightsOf(run)), ...chosenGenotype(run)];
  if (named.length === 0) return undefined;
  const figures = await Promise.all(named.map(cellFigures));
  return html`
    <h3>Cells</h3>
    <div class="cells">${figures}</div>
  `;
}

function chosenGenotype({ kind, config, summary }: RunRecord): NamedGenotype[] {
  const chosen = record(summary.chosen);
  const genotype = genotypeIn(kind === "search" ? chosen.genotype : config.genotype);
  if (!genotype) return [];
  const title = kind === "search" ? `To use, at most ${number(chosen.maxSkips)} skips` : "Trained";
  return [{ title, genotype }];
}

async function cellFigures({ title, genotype }: NamedGenotype): Promise<Html> {
  const [normal, reduce] = await drawnCells(genotype);
  const figure = (kind: string, source: string, entries: Genotype["normal"]) => {
    const names = entries.map(([primitive, state]) => `${primitive} from ${state}`).join(", ");
    return html`<figure><img src="${source}" alt="${title}, ${kind} cell: ${names}">
<figcaption>${title}: ${kind} cell</figcaption></figure>`;
  };
  return html`${figure("normal", normal, genotype.normal)}${
    figure("reduction", reduce, genotype.reduce)
  }`;
}

/** The genotypes of a search by their limit on skips, or the one that a training trains. */
export function genotypesSection(run: RunRecord): Html | undefined {
  const variants: readonly Line[] = run.kind === "search" ? run.variants : [{
    ...networkOf(run),
    genotype: run.config.genotype,
  }];
  const rows = variants.flatMap((variant) => {
    const genotype = genotypeIn(variant.genotype);
    if (!genotype) return [];
    const limit = run.kind === "search" ? variant.maxSkips ?? "none" : "trained";
    return [genotypeRow(String(limit), variant, genotype)];
  });
  if (rows.length === 0) return undefined;
  const first = run.kind === "search" ? "limit on skips" : "genotype";
  const head = [first, "skips", "parameters", "multiply-adds", "", "Genotype"];
  return html`<h3>Genotypes</h3>${table("Genotypes", head, rows)}`;
}

function genotypeRow(limit: string, variant: Line, genotype: Genotype): Html {
  const skips = genotype.normal.filter(([primitive]) => primitive === "skip_connect").length;
  const python = formatPython(genotype);
  return row([
    limit,
    skips,
    countText(number(variant.parameters)),
    countText(number(variant.multiplyAdds)),
    html`
      <button type="button" class="copy" data-copy="${python}"
        aria-label="Copy the genotype, limit ${limit}">Copy</button>
    `,
    html`<div class="text"><code>${python}</code></div>`,
  ]);
}

/** Every option of a run, by its place in config.json. */
export function configSection(run: RunRecord, id: string): Html {
  const options = { started: run.started, backend: run.backend, run: run.options, ...run.config };
  const rows = leaves(options, "").map(([place, value]) =>
    row([html`<code>${place}</code>`, longText(value)])
  );
  return html`<details id="${id}"><summary><h3>Options</h3></summary>
${table("Options", ["option", "value"], rows)}</details>`;
}

/** The values of nested objects by their places; a list of plain values is one value. */
function leaves(value: unknown, place: string): [string, string][] {
  const nested = typeof value === "object" && value !== null &&
    !(Array.isArray(value) && !value.some((item) => typeof item === "object" && item !== null));
  if (!nested || place.endsWith("genotype")) {
    return [[place, typeof value === "string" ? value : JSON.stringify(value) ?? ""]];
  }
  return Object.entries(value).flatMap(([key, item]) =>
    leaves(item, place === "" ? key : `${place}.${key}`)
  );
}
