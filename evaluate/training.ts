/**
 * The training of an evaluation network: the loop over epochs and steps, with its log, its checkpoints,
 * and the weights of the best test.
 *
 * An epoch takes a step on every batch, the last partial one too, and ends with a test where one is due.
 *
 * Invariants: what reaches `log.jsonl` and the weights follows from config, data and seed, wherever the run
 * was interrupted; wall-clock time only reaches `timing.jsonl` and the display. Between two steps
 * {@linkcode TrainingState} and the trainer's state are all there is to know.
 *
 * Source: arXiv 1904.12760, section 4.3; order of steps as in its authors' code.
 */

import type { Recorder } from "../backends/contract.ts";
import type { RunImages } from "../datasets/run_images.ts";
import type { Checkpoint } from "../nn/checkpoint.ts";
import { resizeOf } from "../nn/folder_config.ts";
import { addReport, meansOf } from "../nn/metrics.ts";
import { RunError } from "../nn/run_files.ts";
import type { RunFolder } from "../nn/run_folder.ts";
import { encodeSafetensors } from "../nn/safetensors.ts";
import { StepLoop, type StepLoopOptions } from "../nn/step_loop.ts";
import type { TrainingConfig } from "./config.ts";
import { dryTraining } from "./dry_training.ts";
import { NetworkTrainer, type TrainingSettings } from "./network_trainer.ts";
import {
  copyWeights,
  INITIAL_FILE,
  initialKeysText,
  type InitialWeights,
} from "./initial_weights.ts";
import { type TrainingLoaders, trainingLoaders } from "./training_data.ts";
import { isTested, type TrainingProgress } from "./training_progress.ts";
import {
  beginningOfTraining,
  moveTo,
  type SavedState,
  savedState,
  type TrainingState,
} from "./training_state.ts";
import { CLASSES_KEY, firstOtherClass } from "./weights/class_names.ts";
import { INPUT_KEY, type NetworkInput } from "./weights/network_input.ts";
import { BEST_WEIGHTS_FILE } from "./weights/read_weights.ts";

/** What a training works with. */
export interface TrainingOptions extends StepLoopOptions {
  /** Every number of it. */
  readonly config: TrainingConfig;
  /** What the network is made and trained from: the config with the data's classes. */
  readonly settings: TrainingSettings;
  /** The images; disposed at the end. */
  readonly images: RunImages;
  /** The names of their classes. */
  readonly classNames: readonly string[];
  /** Where a new training starts; fresh weights by default. */
  readonly initial?: InitialWeights;
  /** Where it writes. */
  readonly folder: RunFolder;
  /** Where it shows how far it is. */
  readonly progress: TrainingProgress;
  /** Compiles what the calls in `body` need; absent where nothing is to be compiled. */
  readonly compileAhead?: (body: () => void) => Promise<void>;
  /** Bytes of tensors now and at most, for `timing.jsonl`. */
  readonly memory: () => { current: number; peak: number };
  /** Makes a recorder of steps, if the backend has one. */
  readonly createRecorder?: () => Recorder;
}

/** A training, new or continued. */
export class Training {
  readonly #options: TrainingOptions;
  readonly #state: TrainingState = beginningOfTraining();
  readonly #loop: StepLoop;
  readonly #loaders: TrainingLoaders;
  readonly #restore:
    | { counters: Record<string, number>; tensors: Checkpoint["tensors"] }
    | undefined;
  #trainer!: NetworkTrainer;

  /**
   * Prepares the run folder.
   *
   * @param checkpoint Where to continue; the beginning by default. Lines of the run folder that follow it
   *   are cut off.
   * @throws {RunError} when the checkpoint does not fit the run folder
   */
  constructor(options: TrainingOptions, checkpoint?: Checkpoint) {
    this.#options = options;
    this.#loaders = trainingLoaders(options.images.sources, options.config);
    this.#loop = new StepLoop(options, {
      report: () => this.#report(),
      save: () => this.#save(),
      show: (step) => options.progress.step(this.#state, step),
    });
    if (!checkpoint) {
      options.folder.cutBack({ log: 0 });
      return;
    }
    const { state, lengths, counters, classNames } = savedState(
      checkpoint.state,
      options.folder.path,
    );
    const other = classNames && firstOtherClass(options.classNames, classNames);
    if (other) throw new RunError(`Cannot resume ${options.folder.path}: ${other}`);
    options.folder.cutBack(lengths);
    Object.assign(this.#state, state);
    this.#restore = { counters, tensors: checkpoint.tensors };
  }

  /**
   * Runs to the end.
   *
   * @returns where it then stands, or undefined when the run was interrupted and saved
   * @throws {RunError} when the run folder cannot be written, or the loss is not finite any more
   * @throws {OutOfMemoryError} when a step does not fit; the last checkpoint stays
   * @throws {DatasetError} when too many images cannot be read; the last checkpoint stays
   */
  run(): Promise<TrainingState | undefined> {
    return this.#loop.run(async () => {
      using images = this.#options.images;
      const { config, settings, createRecorder } = this.#options;
      await this.#compile();
      this.#trainer = new NetworkTrainer(settings, createRecorder?.());
      try {
        if (this.#restore) this.#trainer.restore(this.#restore);
        else await this.#begin();
        while (this.#state.epoch < config.epochs) await this.#runEpoch();
        return this.#state;
      } finally {
        this.#trainer.dispose();
        images.save();
      }
    });
  }

  /** Starts a new training, from given weights where there are some. */
  async #begin(): Promise<void> {
    const { folder, initial } = this.#options;
    folder.log({ type: "network", parameters: this.#trainer.parameterCount });
    if (!initial) return;
    await copyWeights(this.#trainer.network.parameters, initial);
    folder.write(INITIAL_FILE, initialKeysText(initial));
  }

  /** Compiles what the steps need; its time is the run's, and no step's. */
  async #compile(): Promise<void> {
    const { config, settings, compileAhead, createRecorder } = this.#options;
    const { imageSize } = this.#loaders.training;
    await compileAhead?.(() =>
      dryTraining(settings, { size: config.batch, side: imageSize, recorder: createRecorder?.() })
    );
    this.#loop.countTime(this.#state);
  }

  async #runEpoch(): Promise<void> {
    const { config, folder } = this.#options, state = this.#state;
    const rates = this.#trainer.beginEpoch(state.epoch);
    if (state.phase === "train") {
      const { training } = this.#loaders;
      for await (const batch of training.epoch(state.epoch, state.step)) {
        this.#trainer.trainStep(batch);
        await this.#afterStep(batch.size, training.batchesPerEpoch);
      }
      const means = meansOf(state.sums.training);
      folder.log({ type: "epoch", epoch: state.epoch + 1, ...rates, ...means });
      moveTo(state, state.epoch, "test");
    }
    if (isTested(state.epoch, config)) await this.#test();
    moveTo(state, state.epoch + 1, "train");
    await this.#loop.save();
  }

  async #test(): Promise<void> {
    const { test } = this.#loaders, state = this.#state, { epoch } = state;
    for await (const batch of test.epoch(0, state.step)) {
      if (batch.size > 0) this.#trainer.evaluate(batch);
      await this.#afterStep(batch.size, test.batchesPerEpoch);
    }
    const report = { epoch, ...meansOf(state.sums.evaluation)! };
    this.#options.folder.log({ type: "test", ...report, epoch: epoch + 1 });
    state.last = report;
    if (state.best && report.top1 <= state.best.top1) return;
    state.best = report;
    await this.#writeBest();
  }

  #afterStep(images: number, steps: number): Promise<void> {
    return this.#loop.afterStep(this.#state, { images, steps });
  }

  /** Keeps the weights of this epoch, with all that is needed to use them. */
  async #writeBest(): Promise<void> {
    const { config, settings, folder, classNames } = this.#options;
    const weights = await this.#trainer.network.parameters.stateDict();
    const metadata = {
      format: "pdarts-network",
      [CLASSES_KEY]: JSON.stringify(classNames),
      [INPUT_KEY]: JSON.stringify(this.#input()),
      genotype: JSON.stringify(settings.genotype),
      config: JSON.stringify(config),
      test: JSON.stringify(this.#state.best),
    };
    folder.write(BEST_WEIGHTS_FILE, encodeSafetensors(weights, metadata));
  }

  /** What the network's input is made like, for the files of weights. */
  #input(): NetworkInput {
    const { config, images } = this.#options, { data } = images.sources;
    const { normalisation: { mean, std }, folder } = config;
    return {
      size: this.#loaders.test.imageSize,
      resize: folder ? resizeOf(folder) : null,
      mean: mean ?? data.mean,
      std: std ?? data.std,
    };
  }

  /** Reads the metrics since the last report, and logs those of training. */
  async #report(): Promise<void> {
    const { folder, progress, memory } = this.#options;
    const { epoch, phase, step, sums, seconds } = this.#state;
    const kind = phase === "test" ? "evaluation" : "training";
    const report = await this.#trainer.report(kind);
    if (!Number.isFinite(report.loss)) {
      throw new RunError(
        `Cannot continue: the loss of ${kind} is not finite at epoch ${epoch + 1}, step ${step}; ` +
          "try a lower learning rate",
      );
    }
    addReport(sums[kind], report);
    progress.report(this.#state, report);
    const place = { epoch: epoch + 1, phase, step };
    folder.log({ type: "report", ...place, ...report });
    const time = new Date().toISOString(), { imagesPerSecond } = progress;
    folder.timing({ ...place, time, seconds, imagesPerSecond, ...memory() });
  }

  async #save(): Promise<void> {
    const { folder, images, classNames } = this.#options;
    images.save();
    const { tensors, counters } = await this.#trainer.state();
    const lengths = folder.lengths();
    const state: SavedState = { state: this.#state, lengths, counters, classNames };
    await folder.save({ state, tensors });
  }
}
