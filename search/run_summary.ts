/**
 * What a finished search leaves in its run folder besides the log, and shows in the terminal: the
 * genotype, its variants with fewer skips, both cells drawn, and the size of the network they make.
 *
 * Files: `genotype.json` and `genotype.py` (the one to use), `genotypes.json` and `genotypes.py` (every
 * variant), `normal_cell` and `reduction_cell` as `.svg` and `.png`, `summary.json` and `summary.md`.
 * Invariant: all but the summary's time depend on the search's result alone.
 */

import { UNREADABLE_FILE } from "../datasets/run_images.ts";
import { countCifarNetwork, countImageNetNetwork } from "../nn/count.ts";
import { millions } from "../nn/count_table.ts";
import { cellSvg, svgToPng } from "../nn/draw.ts";
import { cellText } from "../nn/draw_text.ts";
import { type CellKind, cellOf, countSkips, type Genotype } from "../nn/genotypes.ts";
import { formatPython } from "../nn/genotype_python.ts";
import { formatDuration } from "../nn/progress.ts";
import type { RunFolder } from "../nn/run_folder.ts";
import type { NetworkKind } from "../nn/stem.ts";
import type { Report } from "./stage_trainer.ts";
import { genotypeOfAtMost, type RestrictedSkips } from "./restrict_skips.ts";

/** The evaluation networks that are counted: cells and initial channels of arXiv 1904.12760, section 4. */
const NETWORKS = {
  cifar: { layers: 20, channels: 36 },
  imagenet: { layers: 14, channels: 48 },
} as const;

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
  /** Which network is counted. */
  readonly network: NetworkKind;
  /** Classes of the data set. */
  readonly classes: number;
  /** The limit on skips of the genotype to use. */
  readonly maxSkips: number;
  /** Images that could not be read. */
  readonly unreadable: number;
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
  { folder, network, classes, maxSkips, unreadable, note }: SummaryContext,
): Promise<string> {
  const variants = variantsOf(result.skips, { network, classes });
  const genotype = genotypeOfAtMost(result.skips, maxSkips);
  const chosen = variantOf(genotype, { maxSkips, network, classes });
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
  const sizes = NETWORKS[network];
  const summary = { note, seconds, validation, unreadable, network: sizes, chosen, variants };
  folder.write("summary.json", JSON.stringify(summary, null, 2) + "\n");
  const shown = { ...result, network, unreadable, chosen };
  folder.write("summary.md", markdown({ ...shown, note, variants }));
  return terminalText({ ...shown, path: folder.path });
}

function titleOf(kind: CellKind): string {
  return kind === "normal" ? "Normal cell" : "Reduction cell";
}

function variantOf(
  genotype: Genotype,
  { maxSkips, network, classes }: {
    maxSkips: number | null;
    network: NetworkKind;
    classes: number;
  },
): Variant {
  const count = network === "imagenet" ? countImageNetNetwork : countCifarNetwork;
  const { parameters, multiplyAdds } = count(genotype, { ...NETWORKS[network], classes });
  return { maxSkips, skips: countSkips(genotype.normal), parameters, multiplyAdds, genotype };
}

function variantsOf(
  { unrestricted, restricted }: RestrictedSkips,
  of: { network: NetworkKind; classes: number },
): Variant[] {
  return [
    variantOf(unrestricted, { maxSkips: null, ...of }),
    ...restricted.map(({ genotype, maxSkips }) => variantOf(genotype, { maxSkips, ...of })),
  ];
}

function pythonLine({ maxSkips, genotype }: Variant): string {
  const name = maxSkips === null ? "UNRESTRICTED" : `AT_MOST_${maxSkips}_SKIPS`;
  return `${name} = ${formatPython(genotype)}`;
}

function networkText({ parameters, multiplyAdds }: Variant, network: NetworkKind): string {
  const { layers, channels } = NETWORKS[network];
  return `Evaluation network of ${layers} cells, ${channels} channels: ` +
    `${millions(parameters)} parameters, ${millions(multiplyAdds)} multiply-adds`;
}

/** A line where there are such images. */
function unreadableLines(unreadable: number): string[] {
  return unreadable > 0 ? [`Unreadable images: ${unreadable}, listed in ${UNREADABLE_FILE}`] : [];
}

function validationText(validation: Report): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return `loss ${validation.loss.toFixed(4)}, top-1 ${percent(validation.top1)}, ` +
    `top-5 ${percent(validation.top5)}`;
}

function markdown(
  { note, network, chosen, variants, validation, unreadable, seconds }: SearchResult & {
    note: string;
    network: NetworkKind;
    chosen: Variant;
    variants: readonly Variant[];
    unreadable: number;
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
    `${networkText(chosen, network)}.`,
    "",
    ...(validation ? [`Last validation of the supernet: ${validationText(validation)}.`, ""] : []),
    ...unreadableLines(unreadable).flatMap((line) => [`${line}.`, ""]),
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
  { network, chosen, validation, unreadable, seconds, path }: SearchResult & {
    network: NetworkKind;
    chosen: Variant;
    unreadable: number;
    path: string;
  },
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
    networkText(chosen, network),
    ...(validation ? [`Last validation of the supernet: ${validationText(validation)}`] : []),
    ...unreadableLines(unreadable),
    `Time: ${formatDuration(1000 * seconds)}`,
    `Run folder: ${path}`,
  ].join("\n");
}
