/**
 * Trains one stage's supernet: weight steps, alpha steps, evaluation, and a state from which an
 * interrupted stage continues exactly.
 *
 * Invariants: a step reads nothing back to the host and leaves the tensor count as it was; one that
 * throws, wherever memory ran out, has changed no parameter, statistic, metric or optimiser; both kinds
 * of step run in training mode and move the running statistics. Gradients are of first order only.
 *
 * Source: arXiv 1904.12760, section 4.2; order and clipping as in its authors' code.
 */

import * as tf from "@tensorflow/tfjs-core";
import { softmaxCrossEntropy } from "../backends/ops/softmax_cross_entropy.ts";
import { CounterRandom, type RandomKey } from "../backends/random.ts";
import { BatchNormUpdates } from "../nn/batch_norm.ts";
import { lossGradients } from "../nn/gradients.ts";
import { Adam, Sgd } from "../nn/optimizers.ts";
import type { HostTensor } from "../nn/safetensors.ts";
import { cosineRate, skipDropoutRate } from "../nn/schedules.ts";
import { checkStateDict, type StateDict, withoutPrefix } from "../nn/state_dict.ts";
import { RANDOM_STREAMS } from "./config.ts";
import { softmaxRows } from "./edge_weights.ts";
import { Metrics, type Report } from "./metrics.ts";
import type { StageSettings } from "./stage_settings.ts";
import { Supernet } from "./supernet.ts";

export type { Report } from "./metrics.ts";
export * from "./stage_settings.ts";

/** Images ready for the network, and their labels. */
export interface Batch {
  /** `[size, side, side, 3]` float32, NHWC, normalised. */
  images: Float32Array;
  /** `[size]` int32, class indices. */
  labels: Int32Array;
  /** Number of images. */
  size: number;
}

/** What is counted and reported separately. */
export const REPORT_KINDS = ["weights", "alphas", "evaluation"] as const;
/** One of {@linkcode REPORT_KINDS}. */
export type ReportKind = typeof REPORT_KINDS[number];

/** Everything that continues a stage. */
export interface StageState {
  /** `network.`, `optimizer.weights.`, `optimizer.alphas.` and `metrics.` tensors by name. */
  tensors: StateDict;
  /** Epoch, training passes, and samples in each accumulator. */
  counters: Record<string, number>;
}

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
  #epoch = 0;
  #rates = { learningRate: 0, skipDropout: 0 };
  /** Training passes so far; names the dropout masks. */
  #passes = 0;

  /**
   * Builds the network and its optimisers, at epoch 0.
   *
   * @throws {RangeError} If the settings make no network; see {@linkcode Supernet}.
   */
  constructor(settings: StageSettings) {
    const random = new CounterRandom(settings.seed);
    const { initialisation, dropout } = RANDOM_STREAMS;
    this.#settings = settings;
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
    tf.tidy(() => {
      const { images, labels } = batchTensors(batch);
      const output = softmaxCrossEntropy(this.#net.forward(images), labels);
      this.#metrics.evaluation.add(output, batch.size);
    });
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
  async state(): Promise<StageState> {
    const tensors = new Map<string, HostTensor>();
    const counters: Record<string, number> = { epoch: this.#epoch, passes: this.#passes };
    const add = (prefix: string, dict: StateDict) =>
      dict.forEach((tensor, name) => tensors.set(`${prefix}.${name}`, tensor));
    add("network", await this.#net.parameters.stateDict());
    add("optimizer.weights", await this.#optimizers.weights.state());
    add("optimizer.alphas", await this.#optimizers.alphas.state());
    for (const kind of REPORT_KINDS) {
      const { sums, samples } = await this.#metrics[kind].state();
      tensors.set(`metrics.${kind}`, sums);
      counters[`samples.${kind}`] = samples;
    }
    return { tensors, counters };
  }

  /**
   * Continues from a saved state of the same settings.
   *
   * @throws {RangeError} If a tensor or counter is missing, unexpected or of another shape.
   * @throws {TypeError} If a tensor's elements are of another type.
   */
  restore({ tensors, counters }: StageState): void {
    const samples = REPORT_KINDS.map((kind) => `samples.${kind}`);
    for (const name of ["epoch", "passes", ...samples]) {
      if (!Number.isSafeInteger(counters[name])) {
        throw new RangeError(
          `Cannot load the state: want a count "${name}", got ${counters[name]}`,
        );
      }
    }
    const sums = withoutPrefix(tensors, "metrics.");
    const shape = [3], dtype = "float32";
    checkStateDict(sums, new Map(REPORT_KINDS.map((kind) => [kind, { shape, dtype }])));
    this.#net.parameters.loadStateDict(withoutPrefix(tensors, "network."));
    this.#optimizers.weights.restore(withoutPrefix(tensors, "optimizer.weights."));
    this.#optimizers.alphas.restore(withoutPrefix(tensors, "optimizer.alphas."));
    for (const kind of REPORT_KINDS) {
      this.#metrics[kind].restore({ sums: sums.get(kind)!, samples: counters[`samples.${kind}`] });
    }
    this.#passes = counters.passes;
    this.beginEpoch(counters.epoch);
  }

  /** Frees every tensor. */
  dispose(): void {
    this.#net.parameters.dispose();
    this.#optimizers.weights.dispose();
    this.#optimizers.alphas.dispose();
    for (const kind of REPORT_KINDS) this.#metrics[kind].dispose();
  }

  #step(kind: "weights" | "alphas", batch: Batch): void {
    const updates = new BatchNormUpdates(this.#settings.batchNorm);
    const variables = [...this.#variables[kind].values()];
    const { images, labels } = batchTensors(batch);
    let counts: tf.Tensor1D | undefined, result: ReturnType<typeof lossGradients> | undefined;
    try {
      result = lossGradients(variables, () => {
        const logits = this.#net.forward(images, {
          updates,
          gradients: kind,
          dropout: {
            rate: this.#rates.skipDropout,
            key: this.#dropoutKey,
            pass: this.#passes,
          },
        });
        const output = softmaxCrossEntropy(logits, labels);
        counts = tf.keep(output.counts);
        return output.loss;
      });
      const rate = kind === "weights"
        ? this.#rates.learningRate
        : this.#settings.alphas.learningRate;
      updates.prepare();
      using step = this.#optimizers[kind].prepare(result.gradients, rate);
      this.#metrics[kind].add({ loss: result.loss, counts: counts! }, batch.size);
      // From here on nothing can fail.
      step.commit();
      updates.apply();
      this.#net.parameters.batchesTracked++;
      this.#passes++;
    } finally {
      updates.dispose();
      tf.dispose([images, labels]);
      counts?.dispose();
      if (result) tf.dispose([result.loss, result.gradients]);
    }
  }
}

/** A batch on the device; the caller disposes. */
function batchTensors(
  { images, labels, size }: Batch,
): { images: tf.Tensor4D; labels: tf.Tensor1D } {
  const side = Math.sqrt(images.length / (3 * size));
  if (labels.length !== size || !Number.isInteger(side)) {
    throw new RangeError(
      `Cannot use a batch of ${size}: got ${labels.length} labels and ${images.length} image values, ` +
        `no square images of three channels`,
    );
  }
  return tf.tidy(() => ({
    images: tf.tensor4d(images, [size, side, side, 3]),
    labels: tf.tensor1d(labels, "int32"),
  }));
}
