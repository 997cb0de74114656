/**
 * Our side of the comparison: the search's own training step on the CPU backend, in this process.
 *
 * The module is loaded only when asked, after PyTorch was found, so that a machine without PyTorch is
 * told so at once.
 */

/** The network and batch to time; the same for both sides. */
export interface BenchShape {
  /** Images a step. */
  batch: number;
  /** Cells of the supernet. */
  layers: number;
  /** Initial channels. */
  channels: number;
  /** CPU threads. */
  threads: number;
  /** Primitives left on each edge, the last ones; default all. */
  kept?: number;
}

/** The kinds of training step that are timed. */
export const STEPS = ["weight", "alpha"] as const;
export type Step = typeof STEPS[number];

/** Runs one training step at a time; both resolve to its duration in milliseconds. */
export interface StepRunner {
  weightStep(): Promise<number>;
  alphaStep(): Promise<number>;
}

const MODULE = new URL("../../search/train_step.ts", import.meta.url).href;

/**
 * Builds our supernet of all eight primitives and its optimisers on random images.
 *
 * @throws {BackendError} If the CPU backend cannot start.
 */
export async function createStepRunner(shape: BenchShape): Promise<StepRunner> {
  const { createStepRunner } = await import(MODULE) as {
    createStepRunner(shape: BenchShape): Promise<StepRunner>;
  };
  return await createStepRunner(shape);
}

/** Runs one step of the kind. @returns milliseconds */
export function runStep(runner: StepRunner, step: Step): Promise<number> {
  return step === "weight" ? runner.weightStep() : runner.alphaStep();
}
