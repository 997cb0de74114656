/**
 * Trains an evaluation network: steps, evaluation, and a state from which an interrupted training
 * continues exactly.
 *
 * Invariants: a step reads nothing back to the host and leaves the tensor count as it was; one that
 * throws, wherever memory ran out, has changed no parameter, statistic, metric or optimiser. Metrics are
 * those of the main logits. With a recorder, a step of one size is recorded once and then replayed, with
 * the same results.
 *
 * Source: arXiv 1904.12760, section 4.3; order and clipping as in its authors' code.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Recorder } from "../backends/contract.ts";
import { softmaxCrossEntropy } from "../backends/ops/softmax_cross_entropy.ts";
import { CounterRandom, type RandomKey } from "../backends/random.ts";
import { type Batch, type BatchTensors, batchTensors } from "../nn/batch.ts";
import { BatchNormUpdates } from "../nn/batch_norm.ts";
import { lossGradients } from "../nn/gradients.ts";
import { Metrics, type Report } from "../nn/metrics.ts";
import { Sgd } from "../nn/optimizers.ts";
import { RecordedSteps } from "../nn/recorded_steps.ts";
import { learningRate } from "../nn/schedules.ts";
import {
  readTrainerState,
  restoreTrainerState,
  type TrainedParts,
  type TrainerState,
} from "../nn/trainer_state.ts";
import { dropPathFactors, dropPathRate } from "./drop_path.ts";
import { EvaluationNetwork } from "./network.ts";
import { RANDOM_STREAMS, type TrainingSettings } from "./training_settings.ts";

export type { Batch } from "../nn/batch.ts";
export type { Report } from "../nn/metrics.ts";
export type { TrainerState } from "../nn/trainer_state.ts";
export * from "./training_settings.ts";

/** What is counted and reported separately. */
export const REPORT_KINDS = ["training", "evaluation"] as const;
/** One of {@linkcode REPORT_KINDS}. */
export type ReportKind = typeof REPORT_KINDS[number];

/** The rates of an epoch. */
export interface EpochRates {
  /** Of the weights. */
  learningRate: number;
  /** Share of samples that drop path drops. */
  dropPath: number;
}

/** A batch, and its drop-path factors where there is drop path. */
interface StepTensors extends BatchTensors {
  dropPath?: tf.Tensor2D;
}

/** A network and its optimiser. Dispose when done. */
export class NetworkTrainer {
  /** What is trained. */
  readonly network: EvaluationNetwork;
  readonly #settings: TrainingSettings;
  readonly #variables: tf.Variable[];
  readonly #optimizer: Sgd;
  readonly #metrics: Record<ReportKind, Metrics> = {
    training: new Metrics(),
    evaluation: new Metrics(),
  };
  readonly #dropPathKey: RandomKey;
  readonly #steps: RecordedSteps;
  #epoch = 0;
  #rates: EpochRates = { learningRate: 0, dropPath: 0 };
  /** Training passes so far; names the drop-path factors. */
  #passes = 0;

  /**
   * Builds the network and its optimiser, at epoch 0.
   *
   * @param recorder Records the steps, on the backend that is tfjs's current one; disposed with this.
   * @throws {RangeError} If the settings make no network; see {@linkcode EvaluationNetwork}.
   */
  constructor(settings: TrainingSettings, recorder?: Recorder) {
    const random = new CounterRandom(settings.seed);
    const { initialisation, dropPath } = RANDOM_STREAMS;
    this.#settings = settings;
    this.#steps = new RecordedSteps(recorder);
    this.network = new EvaluationNetwork(
      { ...settings, auxiliary: settings.auxiliary.enabled },
      random.fork(initialisation),
    );
    this.#dropPathKey = random.fork(dropPath).key;
    const variables = this.network.parameters.trainable();
    this.#variables = [...variables.values()];
    this.#optimizer = new Sgd(variables, settings.optimizer);
    this.beginEpoch(0);
  }

  /** Number of scalars in all parameters. */
  get parameterCount(): number {
    return this.network.parameterCount;
  }

  /**
   * Sets the rates of an epoch, and returns them.
   *
   * @param epoch From 0.
   */
  beginEpoch(epoch: number): EpochRates {
    const { optimizer, epochs, dropPath, schedule, warmupEpochs } = this.#settings;
    this.#epoch = epoch;
    this.#rates = {
      learningRate: learningRate(epoch, {
        schedule,
        warmupEpochs,
        initial: optimizer.learningRate,
        minimum: optimizer.minimumLearningRate,
        epochs,
      }),
      dropPath: dropPathRate(epoch, { final: dropPath, epochs }),
    };
    return { ...this.#rates };
  }

  /** One SGD step. */
  trainStep(batch: Batch): void {
    this.#run("training", batch, (tensors) => this.#train(tensors));
    this.#optimizer.countStep();
    this.#metrics.training.count(batch.size);
    this.network.parameters.batchesTracked++;
    this.#passes++;
  }

  /** Adds a batch to the evaluation's metrics: running statistics, nothing dropped, nothing trained. */
  evaluate(batch: Batch): void {
    this.#run("evaluation", batch, ({ images, labels }) =>
      tf.tidy(() => {
        const output = softmaxCrossEntropy(this.network.forward(images).logits, labels);
        this.#metrics.evaluation.add(output, batch.size);
      }));
    this.#metrics.evaluation.count(batch.size);
  }

  /** Means over the samples of one kind since its last report; the only read of metrics. */
  report(kind: ReportKind = "training"): Promise<Report> {
    return this.#metrics[kind].read();
  }

  /** Reads everything that the training depends on. */
  state(): Promise<TrainerState> {
    return readTrainerState(this.#parts, { epoch: this.#epoch, passes: this.#passes });
  }

  /**
   * Continues from a saved state of the same settings.
   *
   * @throws {RangeError} If a tensor or counter is missing, unexpected or of another shape.
   * @throws {TypeError} If a tensor's elements are of another type.
   */
  restore(state: TrainerState): void {
    const { epoch, passes } = restoreTrainerState(this.#parts, state);
    this.#passes = passes;
    this.beginEpoch(epoch);
  }

  /** Frees every tensor. */
  dispose(): void {
    this.network.parameters.dispose();
    this.#optimizer.dispose();
    for (const kind of REPORT_KINDS) this.#metrics[kind].dispose();
    this.#steps.dispose();
  }

  get #parts(): TrainedParts {
    return {
      parameters: this.network.parameters,
      optimizers: { optimizer: this.#optimizer },
      metrics: this.#metrics,
    };
  }

  /** Runs, or replays, a step of a kind, which depends on the batch's shape and on nothing else. */
  #run(kind: ReportKind, batch: Batch, compute: (tensors: StepTensors) => void): void {
    const tensors: StepTensors = batchTensors(batch), { images, labels } = tensors;
    try {
      if (kind === "training") tensors.dropPath = this.#drawDropPath(batch.size);
      this.#steps.run(`${kind} of [${images.shape}]`, {
        tensors: () => [
          images,
          labels,
          ...tensors.dropPath ? [tensors.dropPath] : [],
          ...this.network.parameters.variables(),
          ...this.#optimizer.slots,
          ...REPORT_KINDS.map((kind) => this.#metrics[kind].sums),
        ],
        compute: () => compute(tensors),
      });
    } finally {
      tf.dispose(Object.values(tensors));
    }
  }

  /** The factors of the next training pass; those of rate 0 are ones, and the step is the same. */
  #drawDropPath(batch: number): tf.Tensor2D | undefined {
    const rows = this.network.drops;
    if (this.#settings.dropPath === 0 || rows === 0) return undefined;
    const { dropPath: rate } = this.#rates, key = this.#dropPathKey, pass = this.#passes;
    return tf.tensor2d(dropPathFactors({ key, pass, rate, rows, batch }), [rows, batch]);
  }

  #train({ images, labels, dropPath }: StepTensors): void {
    const updates = new BatchNormUpdates(this.#settings.batchNorm);
    let main: { loss: tf.Scalar; counts: tf.Tensor1D } | undefined;
    let result: ReturnType<typeof lossGradients> | undefined;
    try {
      result = lossGradients(this.#variables, () => {
        const output = this.network.forward(images, { updates, gradients: "weights", dropPath });
        const { labelSmoothing, auxiliary } = this.#settings;
        main = softmaxCrossEntropy(output.logits, labels, { labelSmoothing });
        tf.keep(main.loss);
        tf.keep(main.counts);
        if (!output.auxiliary) return main.loss;
        const { loss } = softmaxCrossEntropy(output.auxiliary, labels, { labelSmoothing });
        return tf.add(main.loss, tf.mul(loss, auxiliary.weight));
      });
      updates.prepare();
      using step = this.#optimizer.prepare(result.gradients, () => this.#rates.learningRate);
      this.#metrics.training.add(main!, labels.size);
      // From here on nothing can fail.
      step.commit();
      updates.apply();
    } finally {
      updates.dispose();
      if (main) tf.dispose([main.loss, main.counts]);
      if (result) tf.dispose([result.loss, result.gradients]);
    }
  }
}
