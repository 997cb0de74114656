/** The comparison's figures: summaries of samples, ratios, and the table that a person reads. */

import { type Step, STEPS } from "./ours.ts";

/** Samples summed up; all in the samples' unit. */
export interface Summary {
  n: number;
  median: number;
  min: number;
  max: number;
  /** Upper minus lower quartile. */
  iqr: number;
}

/** One contestant's step times in milliseconds, and its peak resident memory in bytes. */
export interface Measurement {
  samples: Record<string, number[]>;
  peakBytes: number;
}

/** One PyTorch variant beside ours. */
export interface Comparison {
  /** Milliseconds, by step. */
  torch: Record<string, Summary>;
  /** Ours, measured in between this variant's steps. */
  ours: Record<string, Summary>;
  /** PyTorch's median over ours: above 1, ours is faster. */
  speedup: Record<string, number>;
  /** The same of the two minima, which a busy machine disturbs least. */
  speedupOfMinima: Record<string, number>;
  torchPeakBytes: number;
  /** Our peak over PyTorch's: below 1, ours is smaller. */
  memoryRatio: number;
}

/** The quantile q in 0..1, interpolated linearly between the sorted samples. */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) throw new RangeError("Cannot take a quantile: got no samples");
  const sorted = [...samples].sort((a, b) => a - b);
  const place = q * (sorted.length - 1), below = Math.floor(place);
  const next = sorted[Math.min(below + 1, sorted.length - 1)];
  return sorted[below] + (place - below) * (next - sorted[below]);
}

export function summarise(samples: readonly number[]): Summary {
  return {
    n: samples.length,
    median: quantile(samples, 0.5),
    min: Math.min(...samples),
    max: Math.max(...samples),
    iqr: quantile(samples, 0.75) - quantile(samples, 0.25),
  };
}

/** A value for each kind of step of the supernet. */
export function byStep<T>(value: (step: Step) => T): Record<Step, T> {
  return Object.fromEntries(STEPS.map((step) => [step, value(step)])) as Record<Step, T>;
}

/** Sets a PyTorch variant beside our steps of the same minutes. */
export function compare(torch: Measurement, ours: Measurement): Comparison {
  const steps = Object.keys(torch.samples);
  const byStep = <T>(value: (step: string) => T) =>
    Object.fromEntries(steps.map((step) => [step, value(step)]));
  const theirs = byStep((step) => summarise(torch.samples[step]));
  const own = byStep((step) => summarise(ours.samples[step]));
  return {
    torch: theirs,
    ours: own,
    speedup: byStep((step) => theirs[step].median / own[step].median),
    speedupOfMinima: byStep((step) => theirs[step].min / own[step].min),
    torchPeakBytes: torch.peakBytes,
    memoryRatio: ours.peakBytes / torch.peakBytes,
  };
}

/** Of the comparisons named, the one whose PyTorch takes the least time for all steps together. */
export function fastest(
  comparisons: Readonly<Record<string, Comparison>>,
  names: readonly string[],
): string | undefined {
  const time = (name: string) =>
    Object.values(comparisons[name].torch).reduce((sum, { median }) => sum + median, 0);
  return names.filter((name) => name in comparisons).sort((a, b) => time(a) - time(b))[0];
}

/** For tables. */
export const milliseconds = (value: number) => value.toFixed(value < 1000 ? 1 : 0);
export const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(2);

/** Lines of a table: one for each variant and step, ours beside PyTorch. */
export function table(comparisons: Readonly<Record<string, Comparison>>): string {
  const rows = [
    [
      "PyTorch",
      "step",
      "n",
      "median ms",
      "min..max",
      "IQR",
      "ours ms",
      "min..max",
      "IQR",
      "speed-up",
      "of minima",
    ],
    ...Object.entries(comparisons).flatMap(([name, { torch, ours, speedup, speedupOfMinima }]) =>
      Object.keys(torch).map((step) => [
        name,
        step,
        String(torch[step].n),
        ...spread(torch[step]),
        ...spread(ours[step]),
        speedup[step].toFixed(2) + "x",
        speedupOfMinima[step].toFixed(2) + "x",
      ])
    ),
  ];
  const memory = [
    ["PyTorch", "peak GB", "ours / PyTorch"],
    ...Object.entries(comparisons).map(([name, { torchPeakBytes, memoryRatio }]) => [
      name,
      gigabytes(torchPeakBytes),
      (100 * memoryRatio).toFixed(1) + " %",
    ]),
  ];
  return `${align(rows)}\n\n${align(memory)}`;
}

/** Lines of a table: images a second and GFLOP/s of both, from the medians. */
export function paceTable(
  comparisons: Readonly<Record<string, Comparison>>,
  { batch, operations }: { batch: number; operations: Readonly<Record<string, number>> },
): string {
  const pace = ({ median }: Summary, step: string) => [
    (1000 * batch / median).toFixed(1),
    (operations[step] / median / 1e6).toFixed(1),
  ];
  return align([
    ["PyTorch", "step", "images/s", "GFLOP/s", "ours images/s", "GFLOP/s"],
    ...Object.entries(comparisons).flatMap(([name, { torch, ours }]) =>
      Object.keys(torch).map((step) => [
        name,
        step,
        ...pace(torch[step], step),
        ...pace(ours[step], step),
      ])
    ),
  ]);
}

/** Median, range and IQR, as cells of a table. */
export function spread({ median, min, max, iqr }: Summary): string[] {
  return [milliseconds(median), `${milliseconds(min)}..${milliseconds(max)}`, milliseconds(iqr)];
}

/** Rows of cells as lines; all but the first column are flush right. */
export function align(rows: readonly string[][]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: string[]) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}
