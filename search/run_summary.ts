/**
 * What a finished search leaves in its run folder besides the log, and shows in the terminal: the
 * genotype, its variants with fewer skips, both cells drawn, and the size of the network they make.
 *
 * Files: `genotype.json` and `genotype.py` (the one to use), `genotypes.json` and `genotypes.py` (every
 * variant), `normal_cell` and `reduction_cell` as `.svg` and `.png`, `summary.json` and `summary.md`.
 * Invariant: all but the summary's time depend on the search's result alone.
 */

import { countCifarNetwork } from "../nn/count.ts";
import { millions } from "../nn/count_table.ts";
import { cellSvg, svgToPng } from "../nn/draw.ts";
import { cellText } from "../nn/draw_text.ts";
import { type CellKind, cellOf, countSkips, type Genotype } from "../nn/genotypes.ts";
import { formatPython } from "../nn/genotype_python.ts";
import { formatDuration } from "../nn/progress.ts";
import type { RunFolder } from "../nn/run_folder.ts";
import type { Report } from "./stage_trainer.ts";
import { genotypeOfAtMost, type RestrictedSkips } from "./restrict_skips.ts";

/** Cells and initial channels of the evaluation network that is counted (REFERENCE, "Evaluation"). */
const NETWORK = { layers: 20, channels: 36 } as const;

/** What a search found. */
export interface SearchResult {
  /** The genotypes, by the skips that their normal cell may hold. */
  readonly skips: RestrictedSkips;
  /** The last validation of the last stage; undefined where the search had none. */
  readonly validation: Report | undefined;
  /** Seconds of work, over all processes of the run. */
  readonly seconds: number;
}

/** What the summary says of the run besides its result. */
export interface SummaryContext {
  /** Where the files go. */
  readonly folder: RunFolder;
  /** Classes of the data set. */
  readonly classes: number;
  /** The limit on skips of the genotype to use. */
  readonly maxSkips: number;
  /** The user's note; empty for none. */
  readonly note: string;
}

/** One genotype of the search with the size of the evaluation network it makes. */
interface Variant {
  /** The limit on skips it was derived under; null for none. */
  readonly maxSkips: number | null;
  /** Skips in its normal cell. */
  readonly skips: number;
  readonly parameters: number;
  readonly multiplyAdds: number;
  readonly genotype: Genotype;
}

/** Writes a finished search's files, and returns what the terminal shows. */
export async function writeSummary(
  result: SearchResult,
  { folder, classes, maxSkips, note }: SummaryContext,
): Promise<string> {
  const variants = variantsOf(result.skips, classes);
  const genotype = genotypeOfAtMost(result.skips, maxSkips);
  const chosen = variantOf(genotype, { maxSkips, classes });
  folder.write("genotype.json", JSON.stringify(genotype, null, 2) + "\n");
  folder.write("genotype.py", formatPython(genotype) + "\n");
  folder.write("genotypes.json", JSON.stringify(variants, null, 2) + "\n");
  folder.write("genotypes.py", variants.map(pythonLine).join("\n") + "\n");
  for (const [kind, name] of [["normal", "normal_cell"], ["reduce", "reduction_cell"]] as const) {
    const svg = await cellSvg(cellOf(genotype, kind), { title: titleOf(kind) });
    folder.write(`${name}.svg`, svg);
    folder.write(`${name}.png`, await svgToPng(svg));
  }
  const { validation, seconds } = result;
  const summary = { note, seconds, validation, network: NETWORK, chosen, variants };
  folder.write("summary.json", JSON.stringify(summary, null, 2) + "\n");
  folder.write("summary.md", markdown({ ...result, note, chosen, variants }));
  return terminalText({ ...result, chosen, path: folder.path });
}

function titleOf(kind: CellKind): string {
  return kind === "normal" ? "Normal cell" : "Reduction cell";
}

function variantOf(
  genotype: Genotype,
  { maxSkips, classes }: { maxSkips: number | null; classes: number },
): Variant {
  const { parameters, multiplyAdds } = countCifarNetwork(genotype, { ...NETWORK, classes });
  return { maxSkips, skips: countSkips(genotype.normal), parameters, multiplyAdds, genotype };
}

function variantsOf({ unrestricted, restricted }: RestrictedSkips, classes: number): Variant[] {
  return [
    variantOf(unrestricted, { maxSkips: null, classes }),
    ...restricted.map(({ genotype, maxSkips }) => variantOf(genotype, { maxSkips, classes })),
  ];
}

function pythonLine({ maxSkips, genotype }: Variant): string {
  const name = maxSkips === null ? "UNRESTRICTED" : `AT_MOST_${maxSkips}_SKIPS`;
  return `${name} = ${formatPython(genotype)}`;
}

function sizeText({ parameters, multiplyAdds }: Variant): string {
  return `${millions(parameters)} parameters, ${millions(multiplyAdds)} multiply-adds`;
}

function validationText(validation: Report): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return `loss ${validation.loss.toFixed(4)}, top-1 ${percent(validation.top1)}, ` +
    `top-5 ${percent(validation.top5)}`;
}

function markdown(
  { note, chosen, variants, validation, seconds }: SearchResult & {
    note: string;
    chosen: Variant;
    variants: readonly Variant[];
  },
): string {
  const rows = variants.map(({ maxSkips, skips, parameters, multiplyAdds }) =>
    `| ${maxSkips ?? "none"} | ${skips} | ${millions(parameters)} | ${millions(multiplyAdds)} |`
  );
  const lines = [
    "# Search",
    "",
    ...(note === "" ? [] : [note, ""]),
    `Genotype, at most ${chosen.maxSkips} skips in the normal cell:`,
    "",
    "```python",
    formatPython(chosen.genotype),
    "```",
    "",
    `Evaluation network of ${NETWORK.layers} cells and ${NETWORK.channels} channels: ` +
    `${sizeText(chosen)}.`,
    "",
    ...(validation ? [`Last validation of the supernet: ${validationText(validation)}.`, ""] : []),
    `Time: ${formatDuration(1000 * seconds)}.`,
    "",
    "![Normal cell](normal_cell.svg)",
    "![Reduction cell](reduction_cell.svg)",
    "",
    "| limit on skips | skips | parameters | multiply-adds |",
    "|---|---|---|---|",
    ...rows,
  ];
  return lines.join("\n") + "\n";
}

function terminalText(
  { chosen, validation, seconds, path }: SearchResult & { chosen: Variant; path: string },
): string {
  const cell = (kind: CellKind) =>
    cellText(cellOf(chosen.genotype, kind), { title: titleOf(kind) });
  return [
    cell("normal"),
    "",
    cell("reduce"),
    "",
    formatPython(chosen.genotype),
    "",
    `Evaluation network of ${NETWORK.layers} cells, ${NETWORK.channels} channels: ${
      sizeText(chosen)
    }`,
    ...(validation ? [`Last validation of the supernet: ${validationText(validation)}`] : []),
    `Time: ${formatDuration(1000 * seconds)}`,
    `Run folder: ${path}`,
  ].join("\n");
}
