/**
 * The curves of a run: values over epochs, and speed over time, as `log.jsonl` and `timing.jsonl` have them.
 *
 * Epochs of a search are counted through its stages: epoch 1 of stage 2 follows the last of stage 1. The
 * value of a whole epoch lies at the epoch's number, that of a report within it at the share of the epoch's
 * steps that are done, told from the largest step seen in the stage. Invariant: the points of a curve
 * ascend in x, one for each x; lines that lack a number are left out.
 */

import { type Line, number, record, type RunRecord } from "./read_run.ts";

/** One value. */
export type Point = readonly [x: number, y: number];

/** A named line of points. */
export interface Curve {
  readonly name: string;
  readonly points: readonly Point[];
}

/** What curves tell of. */
export type Quantity = "loss" | "top1" | "learningRate" | "imagesPerSecond";

/** Where a line of a log keeps the figures of a curve. */
interface Source {
  readonly name: string;
  readonly type: string;
  /** The key that holds the figures; the line itself by default. */
  readonly key?: string;
}

const SEARCH_SOURCES: readonly Source[] = [
  { name: "weights", type: "epoch", key: "weights" },
  { name: "alphas", type: "epoch", key: "alphas" },
  { name: "validation", type: "validation" },
];
const EVAL_SOURCES: readonly Source[] = [
  { name: "training", type: "epoch" },
  { name: "test", type: "test" },
];

/** The curves of a quantity; those without a point are left out. */
export function curvesOf(run: RunRecord, quantity: Quantity): Curve[] {
  const curves = quantity === "imagesPerSecond"
    ? [{ name: "images/s", points: speed(run) }]
    : quantity === "learningRate"
    ? [{ name: "learning rate", points: epochPoints(run, { type: "epoch", name: "" }, quantity) }]
    : (run.kind === "search" ? SEARCH_SOURCES : EVAL_SOURCES).map((source) => ({
      name: source.name,
      points: epochPoints(run, source, quantity),
    }));
  return curves.filter(({ points }) => points.length > 0);
}

/** The loss or accuracy of the reports within epochs of training: what there is before an epoch ends. */
export function reportCurve(run: RunRecord, quantity: "loss" | "top1"): Curve {
  const steps = new Map<number, number>();
  const reports = run.log.filter(isTrainingReport);
  for (const line of reports) {
    const stage = number(line.stage) ?? 1;
    steps.set(stage, Math.max(steps.get(stage) ?? 1, number(line.step) ?? 1));
  }
  const points = reports.flatMap((line): Point[] => {
    const figures = run.kind === "search" ? record(line.weights) : line;
    const x = epochOf(run, line), y = number(figures[quantity]), step = number(line.step);
    if (x === undefined || y === undefined || step === undefined) return [];
    return [[x - 1 + step / steps.get(number(line.stage) ?? 1)!, y]];
  });
  return { name: "reports", points: ascending(points) };
}

function isTrainingReport({ type, phase, weights }: Line): boolean {
  return type === "report" && (phase === "train" || weights !== undefined);
}

/** The place of a line on the axis of epochs; undefined where the line has none. */
export function epochOf(
  run: Pick<RunRecord, "epochs">,
  line: { readonly epoch?: unknown; readonly stage?: unknown },
): number | undefined {
  const epoch = number(line.epoch), stage = number(line.stage) ?? 1;
  return epoch === undefined ? undefined : (stage - 1) * run.epochs + epoch;
}

function epochPoints(run: RunRecord, { type, key }: Source, quantity: string): Point[] {
  const points = run.log.filter((line) => line.type === type).flatMap((line): Point[] => {
    const figures = key === undefined ? line : record(line[key]);
    const x = epochOf(run, line), y = number(figures[quantity]);
    return x === undefined || y === undefined ? [] : [[x, y]];
  });
  return ascending(points);
}

/** Images a second over minutes of work. */
function speed({ timing }: RunRecord): Point[] {
  return ascending(timing.flatMap(({ seconds, imagesPerSecond }): Point[] => {
    const x = number(seconds), y = number(imagesPerSecond);
    return x === undefined || y === undefined ? [] : [[x / 60, y]];
  }));
}

/** Points in the order of x; of several with one x the last. */
function ascending(points: readonly Point[]): Point[] {
  return [...new Map(points)].sort(([a], [b]) => a - b);
}
