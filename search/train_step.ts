/**
 * One training step of the search on random images, ready to be timed: what the benches and the
 * comparison with PyTorch run.
 *
 * Invariant: a timed step ends when its results are on the host, whatever the backend, since it reads
 * the step's report.
 */

import { startBackend } from "../backends/mod.ts";
import type { Backend, BackendMemory } from "../backends/contract.ts";
import { type Batch, randomBatch } from "../nn/batch.ts";
import { searchConfig } from "./config.ts";
import { allPrimitives } from "./edge_weights.ts";
import { stageSettings, StageTrainer } from "./stage_trainer.ts";

/** The network and batch to step. */
export interface StepRunnerOptions {
  /** Images a step. */
  batch: number;
  /** Cells. */
  layers: number;
  /** Initial channels. */
  channels: number;
  /** Primitives left on each edge, the last ones; default all. */
  kept?: number;
  /** CPU threads; default all cores. */
  threads?: number;
  /** Its name, default "cpu"; or one that was started, tfjs's current one. */
  backend?: string | Backend;
  /** Whether steps are recorded and replayed on a backend that can; default true. */
  replay?: boolean;
  /** Side of the images in pixels, a multiple of 4; default 32. */
  side?: number;
}

/** A network without skip dropout that can be stepped. */
export interface StepRunner {
  /** One SGD step, from a batch on the host to a loss on the host; resolves to milliseconds. */
  weightStep(): Promise<number>;
  /** One Adam step of the alphas, likewise. */
  alphaStep(): Promise<number>;
  /** One batch in evaluation mode; resolves to milliseconds. */
  evaluate(): Promise<number>;
  /** The backend's account since the last call of `resetPeak`. */
  memory(): BackendMemory;
  /** Starts the account's peak anew. */
  resetPeak(): void;
  /** Loss of the last step or evaluation, in nats. */
  readonly loss: number;
  /** Parameters without alphas. */
  readonly parameterCount: number;
  /** Frees the network and ends the backend. */
  close(): void;
}

/**
 * Builds the network on a backend, which is started first if need be.
 *
 * @throws {BackendError} If the backend cannot start.
 * @throws {RangeError} If a size makes no network.
 */
export async function createStepRunner(options: StepRunnerOptions): Promise<StepRunner> {
  const { layers, channels, threads, backend: given = "cpu", replay = true } = options;
  const backend = typeof given === "string"
    ? (await startBackend(given, { threads })).backend
    : given;
  const left = allPrimitives().map((edge) => edge.slice(-(options.kept ?? edge.length)));
  const which = { stage: 0, classes: 10, normal: left, reduce: left };
  const settings = stageSettings(searchConfig(), which);
  const trainer = new StageTrainer(
    { ...settings, layers, channels, skipDropout: 0 },
    replay ? backend.createRecorder?.() : undefined,
  );
  const batch = randomBatch(options.batch, { side: options.side });
  let loss = NaN;
  const timed = async (kind: "weights" | "alphas" | "evaluation", step: (batch: Batch) => void) => {
    const start = performance.now();
    step(batch);
    loss = (await trainer.report(kind)).loss;
    return performance.now() - start;
  };
  return {
    weightStep: () => timed("weights", (batch) => trainer.weightStep(batch)),
    alphaStep: () => timed("alphas", (batch) => trainer.alphaStep(batch)),
    evaluate: () => timed("evaluation", (batch) => trainer.evaluate(batch)),
    memory: () => backend.memory(),
    resetPeak: () => backend.resetPeak(),
    get loss() {
      return loss;
    },
    parameterCount: trainer.parameterCount,
    close: () => {
      trainer.dispose();
      backend.close();
    },
  };
}
