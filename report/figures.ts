/** The few figures by which runs are told apart. */

import { number, record, type RunRecord } from "./read_run.ts";

/** A share as `97.50 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** The figure a run is judged by; undefined before there is one. */
export interface Figure {
  readonly name: string;
  /** Top-1 accuracy in 0..1. */
  readonly top1: number;
}

/** The best test of a training; of a search the last validation of the supernet. */
export function bestFigure({ kind, log }: Pick<RunRecord, "kind" | "log">): Figure | undefined {
  const type = kind === "search" ? "validation" : "test";
  const tops = log.filter((line) => line.type === type)
    .map(({ top1 }) => number(top1)).filter((top1) => top1 !== undefined);
  if (tops.length === 0) return undefined;
  return kind === "search"
    ? { name: "last validation", top1: tops[tops.length - 1] }
    : { name: "best test", top1: Math.max(...tops) };
}

/** Where a run stands, such as `stage 2/3, epoch 4/25`. */
export function placeText({ kind, config, log, epochs }: RunRecord): string {
  const last = log.findLast(({ epoch }) => number(epoch) !== undefined);
  const epoch = `epoch ${number(last?.epoch) ?? 0}/${epochs}`;
  if (kind === "eval") return epoch;
  const stages = Array.isArray(config.stages) ? config.stages.length : 1;
  return `stage ${number(last?.stage) ?? 1}/${stages}, ${epoch}`;
}

/** Seconds that a run has worked, over all its processes. */
export function secondsOf({ summary, timing }: Pick<RunRecord, "summary" | "timing">): number {
  return number(summary.seconds) ?? number(timing.at(-1)?.seconds) ?? 0;
}

/** Parameters and multiply-adds of the network that a finished run found or trained. */
export function networkOf({ summary }: Pick<RunRecord, "summary">) {
  const found = { ...record(summary.network), ...record(summary.chosen) };
  return { parameters: number(found.parameters), multiplyAdds: number(found.multiplyAdds) };
}
