/**
 * Trains one stage's supernet: weight steps, alpha steps, evaluation, and a state from which an
 * interrupted stage continues exactly.
 *
 * Invariants: a step reads nothing back to the host and leaves the tensor count as it was; one that
 * throws, wherever memory ran out, has changed no parameter, statistic, metric or optimiser; both kinds
 * of step run in training mode and move the running statistics. Gradients are of first order only. With a
 * recorder, a step of one kind and size is recorded once and then replayed, with the same results.
 *
 * Source: arXiv 1904.12760, section 4.2; order and clipping as in its authors' code.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Recorder } from "../backends/contract.ts";
import { softmaxCrossEntropy } from "../backends/ops/softmax_cross_entropy.ts";
import { CounterRandom, maskThreshold, type RandomKey } from "../backends/random.ts";
import { BatchNormUpdates } from "../nn/batch_norm.ts";
import { lossGradients } from "../nn/gradients.ts";
import { Adam, Sgd } from "../nn/optimizers.ts";
import { RecordedSteps } from "../nn/recorded_steps.ts";
import { cosineRate, skipDropoutRate } from "../nn/schedules.ts";
import {
  readTrainerState,
  restoreTrainerState,
  type TrainedParts,
  type TrainerState,
} from "../nn/trainer_state.ts";
import { type Batch, type BatchTensors, batchTensors } from "../nn/batch.ts";
import { RANDOM_STREAMS } from "./config.ts";
import { softmaxRows } from "./edge_weights.ts";
import { Metrics, type Report } from "../nn/metrics.ts";
import type { StageSettings } from "./stage_settings.ts";
import { type SkipDropout, Supernet } from "./supernet.ts";

export type { Batch } from "../nn/batch.ts";
export type { Report } from "../nn/metrics.ts";
export * from "./stage_settings.ts";

/** What is counted and reported separately. */
export const REPORT_KINDS = ["weights", "alphas", "evaluation"] as const;
/** One of {@linkcode REPORT_KINDS}. */
export type ReportKind = typeof REPORT_KINDS[number];

/** Everything that continues a stage. */
export type StageState = TrainerState;

/** One stage's network and optimisers. Dispose when done. */
export class StageTrainer {
  readonly #settings: StageSettings;
  readonly #net: Supernet;
  readonly #variables: { weights: Map<string, tf.Variable>; alphas: Map<string, tf.Variable> };
  readonly #optimizers: { weights: Sgd; alphas: Adam };
  readonly #metrics = Object.fromEntries(
    REPORT_KINDS.map((kind) => [kind, new Metrics()]),
  ) as Record<ReportKind, Metrics>;
  readonly #dropoutKey: RandomKey;
  readonly #steps: RecordedSteps;
  #epoch = 0;
  #rates = { learningRate: 0, skipDropout: 0 };
  /** Training passes so far; names the dropout masks. */
  #passes = 0;

  /**
   * Builds the network and its optimisers, at epoch 0.
   *
   * @param recorder Records the steps, on the backend that is tfjs's current one; disposed with this.
   * @throws {RangeError} If the settings make no network; see {@linkcode Supernet}.
   */
  constructor(settings: StageSettings, recorder?: Recorder) {
    const random = new CounterRandom(settings.seed);
    const { initialisation, dropout } = RANDOM_STREAMS;
    this.#settings = settings;
    this.#steps = new RecordedSteps(recorder);
    this.#net = new Supernet(settings, random.fork(initialisation, settings.stage));
    this.#dropoutKey = random.fork(dropout, settings.stage).key;
    this.#variables = {
      weights: this.#net.trainable("weights"),
      alphas: this.#net.trainable("alphas"),
    };
    this.#optimizers = {
      weights: new Sgd(this.#variables.weights, settings.weights),
      alphas: new Adam(this.#variables.alphas, settings.alphas),
    };
    this.beginEpoch(0);
  }

  /** Number of scalars in all parameters but the alphas. */
  get parameterCount(): number {
    return this.#net.parameterCount;
  }

  /**
   * Sets the rates of an epoch.
   *
   * @param epoch From 0.
   * @returns The learning rate of the weights, and the dropout rate behind skips.
   */
  beginEpoch(epoch: number): { learningRate: number; skipDropout: number } {
    const { weights, epochs, alphaFromEpoch, skipDropout, skipDropoutDecay } = this.#settings;
    this.#epoch = epoch;
    this.#rates = {
      learningRate: cosineRate(epoch, {
        initial: weights.learningRate,
        minimum: weights.minimumLearningRate,
        epochs,
      }),
      skipDropout: skipDropoutRate(epoch, {
        initial: skipDropout,
        epochs,
        alphaFromEpoch,
        decay: skipDropoutDecay,
      }),
    };
    return { ...this.#rates };
  }

  /** One SGD step of the weights. */
  weightStep(batch: Batch): void {
    this.#step("weights", batch);
  }

  /** One Adam step of the alphas. */
  alphaStep(batch: Batch): void {
    this.#step("alphas", batch);
  }

  /** Adds a batch to the evaluation's metrics: running statistics, no dropout, nothing trained. */
  evaluate(batch: Batch): void {
    this.#run("evaluation", batch, ({ images, labels }) =>
      tf.tidy(() => {
        const output = softmaxCrossEntropy(this.#net.forward(images), labels);
        this.#metrics.evaluation.add(output, batch.size);
      }));
    this.#metrics.evaluation.count(batch.size);
  }

  /** Means over the samples of one kind since its last report; the only read of metrics. */
  report(kind: ReportKind = "weights"): Promise<Report> {
    return this.#metrics[kind].read();
  }

  /** The architecture weights, `[14][kept]`: float64 softmax of the alphas. */
  async alphas(): Promise<{ normal: number[][]; reduce: number[][] }> {
    const { normal, reduce } = this.#net.alphas;
    return {
      normal: softmaxRows(await normal.array()),
      reduce: softmaxRows(await reduce.array()),
    };
  }

  /** Reads everything that training depends on. */
  state(): Promise<StageState> {
    return readTrainerState(this.#parts, { epoch: this.#epoch, passes: this.#passes });
  }

  /**
   * Continues from a saved state of the same settings.
   *
   * @throws {RangeError} If a tensor or counter is missing, unexpected or of another shape.
   * @throws {TypeError} If a tensor's elements are of another type.
   */
  restore(state: StageState): void {
    const { epoch, passes } = restoreTrainerState(this.#parts, state);
    this.#passes = passes;
    this.beginEpoch(epoch);
  }

  /** Frees every tensor. */
  dispose(): void {
    this.#net.parameters.dispose();
    this.#optimizers.weights.dispose();
    this.#optimizers.alphas.dispose();
    for (const kind of REPORT_KINDS) this.#metrics[kind].dispose();
    this.#steps.dispose();
  }

  get #parts(): TrainedParts {
    const { weights, alphas } = this.#optimizers;
    return {
      parameters: this.#net.parameters,
      optimizers: { "optimizer.weights": weights, "optimizer.alphas": alphas },
      metrics: this.#metrics,
    };
  }

  #step(kind: "weights" | "alphas", batch: Batch): void {
    const drops = maskThreshold(this.#rates.skipDropout) > 0;
    this.#run(
      drops ? `${kind} with dropout` : kind,
      batch,
      (tensors) => this.#train(kind, { ...tensors, drops }),
    );
    this.#optimizers[kind].countStep();
    this.#metrics[kind].count(batch.size);
    this.#net.parameters.batchesTracked++;
    this.#passes++;
  }

  /** Runs, or replays, a step that depends on `what`, on the batch's shape and on nothing else. */
  #run(what: string, batch: Batch, compute: (tensors: BatchTensors) => void): void {
    const tensors = batchTensors(batch), { images, labels } = tensors;
    try {
      this.#steps.run(`${what} of [${images.shape}]`, {
        tensors: () => [
          images,
          labels,
          ...this.#net.parameters.variables(),
          ...this.#optimizers.weights.slots,
          ...this.#optimizers.alphas.slots,
          ...REPORT_KINDS.map((kind) => this.#metrics[kind].sums),
        ],
        compute: () => compute(tensors),
      });
    } finally {
      tf.dispose([images, labels]);
    }
  }

  #train(
    kind: "weights" | "alphas",
    { images, labels, drops }: BatchTensors & { drops: boolean },
  ): void {
    const updates = new BatchNormUpdates(this.#settings.batchNorm);
    const variables = [...this.#variables[kind].values()];
    const dropout: SkipDropout = {
      rate: () => this.#rates.skipDropout,
      key: this.#dropoutKey,
      pass: () => this.#passes,
    };
    let counts: tf.Tensor1D | undefined, result: ReturnType<typeof lossGradients> | undefined;
    try {
      result = lossGradients(variables, () => {
        const logits = this.#net.forward(images, {
          updates,
          gradients: kind,
          ...(drops && { dropout }),
        });
        const output = softmaxCrossEntropy(logits, labels);
        counts = tf.keep(output.counts);
        return output.loss;
      });
      const rate = kind === "weights"
        ? () => this.#rates.learningRate
        : this.#settings.alphas.learningRate;
      updates.prepare();
      using step = this.#optimizers[kind].prepare(result.gradients, rate);
      this.#metrics[kind].add({ loss: result.loss, counts: counts! }, labels.size);
      // From here on nothing can fail.
      step.commit();
      updates.apply();
    } finally {
      updates.dispose();
      counts?.dispose();
      if (result) tf.dispose([result.loss, result.gradients]);
    }
  }
}
