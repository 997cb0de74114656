/**
 * Training steps and inference of the evaluation network on random images, ready to be timed: what the
 * comparison with PyTorch runs.
 *
 * Invariant: a timed step ends when its results are on the host, whatever the backend.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Backend, BackendMemory } from "../backends/contract.ts";
import { startBackend } from "../backends/mod.ts";
import { batchTensors, randomBatch } from "../nn/batch.ts";
import type { NetworkKind } from "../nn/stem.ts";
import { trainingConfig } from "./config.ts";
import { foldNetwork } from "./folded_network.ts";
import { NetworkTrainer } from "./network_trainer.ts";

/** The network and batch to step. */
export interface StepRunnerOptions {
  /** Which network, and images of which side: 32 for CIFAR, 224 for ImageNet; default "cifar". */
  network?: NetworkKind;
  /** Images a step. */
  batch: number;
  /** Cells. */
  layers: number;
  /** Initial channels. */
  channels: number;
  /** CPU threads; default all cores. */
  threads?: number;
  /** Its name, default "cpu"; or one that was started, tfjs's current one. */
  backend?: string | Backend;
  /** Whether steps are recorded and replayed on a backend that can; default true. */
  replay?: boolean;
}

/** PDARTS's network with auxiliary head, for CIFAR-10 with drop path, that can be stepped. */
export interface StepRunner {
  /** One SGD step, from a batch on the host to a loss on the host; resolves to milliseconds. */
  trainStep(): Promise<number>;
  /**
   * Logits of a batch from the host to the host, by the network with its norms folded, as it was when
   * this was first called; resolves to milliseconds.
   */
  infer(): Promise<number>;
  /** The backend's account since the last call of `resetPeak`. */
  memory(): BackendMemory;
  /** Starts the account's peak anew. */
  resetPeak(): void;
  /** Loss of the last training step, in nats. */
  readonly loss: number;
  /** Parameters, those of the auxiliary head included. */
  readonly parameterCount: number;
  /** Frees the network and ends the backend. */
  close(): void;
}

/** The published training on CIFAR; steps are of its middle, with half of the final drop path. */
const CIFAR = { ...trainingConfig(), classes: 10, side: 32 };
/** The same on ImageNet, as far as a step's work depends on it. */
const IMAGENET = { ...CIFAR, classes: 1000, dropPath: 0, labelSmoothing: 0.1, side: 224 };
const SETTINGS = { cifar: CIFAR, imagenet: IMAGENET } satisfies Record<NetworkKind, unknown>;

/**
 * Builds the network on a backend, which is started first if need be.
 *
 * @throws {BackendError} If the backend cannot start.
 * @throws {RangeError} If a size makes no network.
 */
export async function createStepRunner(options: StepRunnerOptions): Promise<StepRunner> {
  const { network = "cifar", layers, channels, threads, replay = true } = options;
  const { backend: given = "cpu" } = options, settings = SETTINGS[network];
  const backend = typeof given === "string"
    ? (await startBackend(given, { threads })).backend
    : given;
  const recorder = replay ? backend.createRecorder?.() : undefined;
  const trainer = new NetworkTrainer({ ...settings, network, layers, channels }, recorder);
  trainer.beginEpoch(settings.epochs / 2);
  const folded = foldNetwork(trainer.network);
  const batch = randomBatch(options.batch, settings);
  let loss = NaN;
  return {
    trainStep: async () => {
      const start = performance.now();
      trainer.trainStep(batch);
      loss = (await trainer.report("training")).loss;
      return performance.now() - start;
    },
    infer: async () => {
      const start = performance.now();
      const { images, labels } = batchTensors(batch);
      const logits = folded.forward(images);
      await logits.data();
      tf.dispose([images, labels, logits]);
      return performance.now() - start;
    },
    memory: () => backend.memory(),
    resetPeak: () => backend.resetPeak(),
    get loss() {
      return loss;
    },
    parameterCount: trainer.parameterCount,
    close: () => {
      folded[Symbol.dispose]();
      trainer.dispose();
      backend.close();
    },
  };
}
