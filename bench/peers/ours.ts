/** Our side of the comparisons: what is stepped, and the steps of the search's supernet. */

/** The network and batch to time; the same for both sides. */
export interface BenchShape {
  /** Images a step. */
  batch: number;
  /** Cells. */
  layers: number;
  /** Initial channels. */
  channels: number;
  /** CPU threads. */
  threads: number;
  /** Primitives left on each edge, the last ones; default all. */
  kept?: number;
}

/** The kinds of training step of the supernet. */
export const STEPS = ["weight", "alpha"] as const;
export type Step = typeof STEPS[number];

/** Runs one training step at a time; both resolve to its duration in milliseconds. */
export interface StepRunner {
  weightStep(): Promise<number>;
  alphaStep(): Promise<number>;
}

/** Runs one step of the kind. @returns milliseconds */
export function runStep(runner: StepRunner, step: Step): Promise<number> {
  return step === "weight" ? runner.weightStep() : runner.alphaStep();
}
