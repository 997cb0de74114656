/**
 * What `deno task bench:peers` times on the CPU: steps of the search's supernet, or of the evaluation
 * network of PDARTS. Ours run in this process; PyTorch's bench_step.py has steps of the same names.
 *
 * A workload's code is loaded only when it starts, after PyTorch was found, so that a machine without
 * PyTorch is told so at once.
 */

import { countCifarNetwork, countSupernet } from "../../nn/count.ts";
import { PDARTS } from "../../nn/genotypes.ts";
import type { Backend, BackendMemory } from "../../backends/contract.ts";
import { allPrimitives } from "../../search/edge_weights.ts";
import type { BenchShape } from "./ours.ts";

/** What is stepped, and on what; by default on the CPU. */
export interface WorkloadOptions extends BenchShape {
  /** One that was started, tfjs's current one. */
  backend?: Backend;
  /** Whether steps are recorded and replayed on a backend that can; default true. */
  replay?: boolean;
}

/** A network of ours that is ready. */
export interface StartedWorkload {
  /** By name; each takes one step and resolves to milliseconds. */
  readonly steps: Readonly<Record<string, () => Promise<number>>>;
  /** Loss of the last training step, in nats. */
  readonly loss: () => number;
  /** The backend's account since the last call of `resetPeak`. */
  readonly memory: () => BackendMemory;
  /** Starts the account's peak anew. */
  readonly resetPeak: () => void;
  /** Frees the network and ends the backend. */
  readonly close: () => void;
}

/** A kind of network to compare on. */
export interface Workload {
  /** bench_step.py's name of the network. */
  readonly network: "supernet" | "evaluation";
  /** The usual size. */
  readonly shape: Omit<BenchShape, "threads">;
  /** Names of its steps. */
  readonly steps: readonly string[];
  /** Builds ours. */
  start(options: WorkloadOptions): Promise<StartedWorkload>;
  /** Floating-point operations that a step cannot do without: see {@linkcode trainingOperations}. */
  operations(shape: BenchShape): Record<string, number>;
}

export const WORKLOADS: Readonly<Record<string, Workload>> = {
  search: {
    network: "supernet",
    shape: { batch: 96, layers: 5, channels: 16 },
    steps: ["weight", "alpha"],
    start: async (options) => {
      const { createStepRunner } = await import("../../search/train_step.ts");
      const runner = await createStepRunner(options);
      return started(runner, { weight: runner.weightStep, alpha: runner.alphaStep });
    },
    operations: ({ batch, layers, channels }) => {
      const all = allPrimitives();
      const kept = { keptNormal: all, keptReduce: all };
      const forward = 2 * batch *
        countSupernet({ layers, channels, classes: 10, ...kept }).multiplyAdds;
      return { weight: trainingOperations(forward), alpha: 2 * forward };
    },
  },
  evaluation: {
    network: "evaluation",
    shape: { batch: 32, layers: 20, channels: 36 },
    steps: ["training", "inference"],
    start: async (options) => {
      const { createStepRunner } = await import("../../evaluate/step_runner.ts");
      const runner = await createStepRunner(options);
      return started(runner, { training: runner.trainStep, inference: runner.infer });
    },
    operations: ({ batch, layers, channels }) => {
      const forward = (auxiliary: boolean) =>
        2 * batch * countCifarNetwork(PDARTS, { layers, channels, auxiliary }).multiplyAdds;
      return { training: trainingOperations(forward(true)), inference: forward(false) };
    },
  },
};

function started(
  runner: { loss: number } & Pick<StartedWorkload, "memory" | "resetPeak" | "close">,
  steps: StartedWorkload["steps"],
): StartedWorkload {
  const { memory, resetPeak, close } = runner;
  return { steps, loss: () => runner.loss, memory, resetPeak, close };
}

/**
 * Of a training step: the forward pass, and as much for the gradients of inputs and of filters each. Only
 * products and sums of convolutions and linear layers count. An alpha step needs no gradients of filters.
 */
function trainingOperations(forward: number): number {
  return 3 * forward;
}
