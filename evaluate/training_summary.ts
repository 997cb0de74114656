/**
 * What a finished training leaves in its run folder besides log and weights, and shows in the terminal:
 * `summary.json` and `summary.md`. Invariant: all but its time depends on the training's result alone.
 */

import { UNREADABLE_FILE } from "../datasets/run_images.ts";
import { countCifarNetwork, countImageNetNetwork } from "../nn/count.ts";
import { millions } from "../nn/count_table.ts";
import { formatPython } from "../nn/genotype_python.ts";
import { formatDuration } from "../nn/progress.ts";
import type { RunFolder } from "../nn/run_folder.ts";
import type { TrainingConfig } from "./config.ts";
import type { TestReport, TrainingState } from "./training_state.ts";
import { BEST_WEIGHTS_FILE } from "./weights/read_weights.ts";

/** What the summary says of the run besides its result. */
export interface SummaryContext {
  readonly folder: RunFolder;
  readonly config: TrainingConfig;
  /** Classes of the data set. */
  readonly classes: number;
  /** Images that could not be read. */
  readonly unreadable: number;
  /** The user's note; empty for none. */
  readonly note: string;
}

/** A share as `97.50 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function testText({ epoch, loss, top1, top5 }: TestReport): string {
  return `top-1 ${percent(top1)} (error ${percent(1 - top1)}), top-5 ${percent(top5)}, ` +
    `loss ${loss.toFixed(4)}, epoch ${epoch + 1}`;
}

/** Writes a finished training's files, and returns what the terminal shows. */
export function writeSummary(
  { best, last, seconds }: TrainingState,
  { folder, config, classes, unreadable, note }: SummaryContext,
): string {
  const { network, layers, channels, genotype } = config, imageSize = config.folder?.imageSize;
  const count = network === "imagenet" ? countImageNetNetwork : countCifarNetwork;
  const { parameters, multiplyAdds } = count(genotype, { layers, channels, classes, imageSize });
  const counted = (report: TestReport) => ({ ...report, epoch: report.epoch + 1 });
  const summary = {
    note,
    seconds,
    unreadable,
    network: { kind: network, layers, channels, classes, parameters, multiplyAdds },
    best: counted(best!),
    last: counted(last!),
    genotype,
  };
  folder.write("summary.json", JSON.stringify(summary, null, 2) + "\n");
  const lines = [
    `Network of ${layers} cells, ${channels} channels: ${millions(parameters)} parameters, ` +
    `${millions(multiplyAdds)} multiply-adds`,
    `Best test: ${testText(best!)}`,
    `Last test: ${testText(last!)}`,
    ...(unreadable > 0 ? [`Unreadable images: ${unreadable}, listed in ${UNREADABLE_FILE}`] : []),
    `Time: ${formatDuration(1000 * seconds)}`,
  ];
  const head = ["# Training", "", ...(note === "" ? [] : [note, ""])];
  const code = ["```python", formatPython(genotype), "```", ""];
  folder.write(
    "summary.md",
    [...head, ...code, ...lines.map((line) => `- ${line}`)].join("\n") + "\n",
  );
  return [
    ...lines,
    `Weights of the best test: ${folder.path}/${BEST_WEIGHTS_FILE}`,
    `Run folder: ${folder.path}`,
  ].join("\n");
}
