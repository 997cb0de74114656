/**
 * The charts of a page, as `page/charts.js` draws them with uPlot: columns over one axis, and how each looks.
 *
 * Invariants: every column is as long as the first, which ascends; a place without a value holds null.
 */

import { type Curve, curvesOf, type Point, type Quantity, reportCurve } from "./curves.ts";
import type { RunRecord } from "./read_run.ts";
import { spreadOf } from "./spread.ts";

/** How a column is drawn. */
export interface SeriesLook {
  readonly label: string;
  /** Place in the page's palette; 0 is the colour of text. */
  readonly colour: number;
  /** `faint` for reports, `dashed` to tell curves of one run apart, `edge` for a band's rims. */
  readonly style?: "faint" | "dashed" | "bold" | "edge";
}

/** One chart. */
export interface Chart {
  /** The id of the element it is drawn in. */
  readonly id: string;
  readonly title: string;
  readonly x: string;
  readonly format: "number" | "percent";
  /** The axis, then a column for each of `series`. */
  readonly columns: readonly (readonly (number | null)[])[];
  readonly series: readonly SeriesLook[];
  /** Columns between which the ground is shaded. */
  readonly bands: readonly (readonly [high: number, low: number])[];
  /** Where a stage ends; {@linkcode GAP} behind it the axis has a place at which all curves break. */
  readonly marks: readonly number[];
  /** The lowest and the highest value of the scale, where charts share one. */
  readonly range?: readonly [number, number];
  /** Whether it is one of many small ones, without axes. */
  readonly small: boolean;
}

/** How far behind a stage's end curves break, in epochs. */
export const GAP = 0.001;

/** Colours of the palette, besides that of text. */
const COLOURS = 8;

const QUANTITIES: readonly { quantity: Quantity; title: string; x: string }[] = [
  { quantity: "loss", title: "Loss", x: "epoch" },
  { quantity: "top1", title: "Top-1 accuracy", x: "epoch" },
  { quantity: "learningRate", title: "Learning rate", x: "epoch" },
  { quantity: "imagesPerSecond", title: "Images per second", x: "minutes of work" },
];

/** The charts of runs of one kind, in one picture for each quantity; those without a value are left out. */
export function curveCharts(kind: RunRecord["kind"], runs: readonly RunRecord[]): Chart[] {
  return QUANTITIES.flatMap(({ quantity, title, x }) => {
    const lines = runs.length === 1 ? linesOfOne(runs[0], quantity) : linesOfMany(runs, quantity);
    if (lines.length === 0) return [];
    const marks = x === "epoch" ? stageEnds(runs) : [];
    const { columns, series } = aligned(lines, marks);
    const format = quantity === "top1" ? "percent" as const : "number" as const;
    const bands = bandsOf(series);
    const id = `${kind}-${quantity}`;
    return [{ id, title, x, format, columns, series, bands, marks, small: false }];
  });
}

/** A curve with its look. */
export interface Drawn extends SeriesLook {
  readonly points: readonly Point[];
}

function linesOfOne(run: RunRecord, quantity: Quantity): Drawn[] {
  const drawn = curvesOf(run, quantity).map(({ name, points }, index): Drawn => ({
    label: name,
    colour: 1 + index,
    points,
  }));
  if (quantity !== "loss" && quantity !== "top1") return drawn;
  const { points } = reportCurve(run, quantity);
  const reports: Drawn = { label: "reports of training", colour: 1, style: "faint", points };
  return points.length > drawn.flatMap(({ points }) => points).length ? [reports, ...drawn] : drawn;
}

function linesOfMany(runs: readonly RunRecord[], quantity: Quantity): Drawn[] {
  const names = new Map<string, Curve[]>();
  const drawn = runs.flatMap((run, index) =>
    curvesOf(run, quantity).map((curve, place): Drawn => {
      names.set(curve.name, [...names.get(curve.name) ?? [], curve]);
      const colour = 1 + index % COLOURS;
      const label = `${run.name}: ${curve.name}`;
      return { label, colour, style: place === 0 ? undefined : "dashed", points: curve.points };
    })
  );
  const means = quantity === "imagesPerSecond" ? [] : [...names].flatMap(([name, curves]) => {
    const spread = spreadOf(name, curves);
    if (!spread) return [];
    const rim = { colour: 0, style: "edge" } as const;
    return [
      { label: `${name}: mean + deviation`, ...rim, points: spread.high },
      { label: `${name}: mean - deviation`, ...rim, points: spread.low },
      { label: `${name}: mean`, colour: 0, style: "bold" as const, points: spread.mean },
    ];
  });
  return [...drawn, ...means];
}

/** Rims follow one another, the higher first; column 0 is the axis. */
function bandsOf(series: readonly SeriesLook[]): [number, number][] {
  const rims = series.flatMap(({ style }, index) => style === "edge" ? [index + 1] : []);
  return rims.flatMap((column, index): [number, number][] =>
    index % 2 === 0 ? [[column, rims[index + 1]]] : []
  );
}

/** Curves on one axis that has all of their places, and one behind each mark. */
export function aligned(
  lines: readonly Drawn[],
  marks: readonly number[],
): Pick<Chart, "columns" | "series"> {
  const places = new Set([
    ...lines.flatMap(({ points }) => points.map(([x]) => x)),
    ...marks.map((mark) => mark + GAP),
  ]);
  const axis = [...places].sort((a, b) => a - b);
  const columns = lines.map(({ points }) => {
    const values = new Map(points);
    return axis.map((x) => rounded(values.get(x)));
  });
  return { columns: [axis, ...columns], series: lines.map(look) };
}

function look({ label, colour, style }: SeriesLook): SeriesLook {
  return { label, colour, style };
}

/** A value with the digits that a chart can show; null for none. */
function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(6));
}

/** The ends of all stages but the last, on the axis of epochs. */
export function stageEnds(runs: readonly RunRecord[]): number[] {
  return [
    ...new Set(runs.flatMap(({ log, epochs }) => {
      const stages = log.filter(({ type }) => type === "stage").length;
      return Array.from({ length: Math.max(0, stages - 1) }, (_, stage) => (stage + 1) * epochs);
    })),
  ];
}
