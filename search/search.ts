/**
 * The progressive search: the loop over stages, epochs and steps, with its log and checkpoints.
 *
 * A stage trains a fresh supernet: each epoch takes a weight step on every batch of the first half, from
 * `alphaFromEpoch` on with an alpha step on the second half before each, and the last epochs end with a
 * validation. Between stages every edge loses its weakest primitives; the last stage's weights yield the
 * genotypes.
 *
 * Invariants: what reaches `log.jsonl`, `alphas.jsonl` and the result follows from config, data and seed,
 * wherever the run was interrupted; wall-clock time only reaches `timing.jsonl` and the display. Between
 * two steps {@linkcode SearchState} and the trainer's state are all there is to know.
 *
 * Source: arXiv 1904.12760, section 3; schedule and order of steps as in its authors' code.
 */

import type { Recorder } from "../backends/contract.ts";
import type { Batch, BatchIteration } from "../datasets/batch_source.ts";
import type { RunImages } from "../datasets/run_images.ts";
import type { Checkpoint } from "../nn/checkpoint.ts";
import type { MemoryMode } from "../nn/recompute.ts";
import { RunError } from "../nn/run_files.ts";
import { addReport, meansOf } from "../nn/metrics.ts";
import type { RunRecords } from "../nn/run_folder.ts";
import { StepLoop, type StepLoopOptions } from "../nn/step_loop.ts";
import type { SearchConfig } from "./config.ts";
import { dropPrimitives } from "./drop.ts";
import { drySteps } from "./dry_steps.ts";
import type { EdgeWeights } from "./edge_weights.ts";
import { restrictSkips } from "./restrict_skips.ts";
import type { SearchResult } from "./run_summary.ts";
import { type StageLoaders, stageLoaders } from "./search_data.ts";
import type { SearchProgress } from "./search_progress.ts";
import {
  beginningOfSearch,
  beginningOfStage,
  moveTo,
  type SavedState,
  savedState,
  type SearchState,
} from "./search_state.ts";
import { type StageSettings, stageSettings, StageTrainer } from "./stage_trainer.ts";

/** What a search works with. */
export interface SearchOptions extends StepLoopOptions {
  /** Every number of it. */
  readonly config: SearchConfig;
  /** The images; the test split is not used. Disposed at the end. */
  readonly images: Pick<RunImages, "sources" | "save"> & Disposable;
  /** Where it writes. */
  readonly folder: RunRecords;
  /** Where it shows how far it is. */
  readonly progress: Pick<SearchProgress, "step" | "report" | "imagesPerSecond">;
  /** Compiles what the calls in `body` need; absent where nothing is to be compiled. */
  readonly compileAhead?: (body: () => void) => Promise<void>;
  /** Whether cells are computed twice instead of kept, which changes no result; default "normal". */
  readonly memoryMode?: MemoryMode;
  /** Bytes of tensors now and at most, for `timing.jsonl`. */
  readonly memory: () => { current: number; peak: number };
  /** Makes a stage's recorder of steps, if the backend has one. */
  readonly createRecorder?: () => Recorder;
}

/** A search, new or continued. */
export class Search {
  readonly #options: SearchOptions;
  #state: SearchState;
  #restore: { counters: Record<string, number>; tensors: Checkpoint["tensors"] } | undefined;
  #trainer!: StageTrainer;
  #loaders!: StageLoaders;
  /** The second half, iterated over all epochs of the stage. */
  #alphaBatches!: BatchIteration;
  readonly #loop: StepLoop;

  /**
   * Prepares the run folder.
   *
   * @param checkpoint Where to continue; the beginning by default. Lines of the run folder that follow it
   *   are cut off.
   * @throws {RunError} when the checkpoint does not fit the run folder
   */
  constructor(options: SearchOptions, checkpoint?: Checkpoint) {
    this.#options = options;
    this.#loop = new StepLoop(options, {
      report: () => this.#report(),
      save: () => this.#save(),
      show: (step) => options.progress.step(this.#state, step),
    });
    if (!checkpoint) {
      this.#state = beginningOfSearch();
      options.folder.cutBack({ log: 0, alphas: 0 });
      return;
    }
    const { state, lengths, counters } = savedState(checkpoint.state, options.folder.path);
    options.folder.cutBack(lengths);
    this.#state = state;
    this.#restore = { counters, tensors: checkpoint.tensors };
  }

  /**
   * Runs to the end.
   *
   * @returns what was found, or undefined when the run was interrupted and saved
   * @throws {RunError} when the run folder cannot be written, or the loss is not finite any more
   * @throws {OutOfMemoryError} when a step does not fit; the last checkpoint stays
   * @throws {DatasetError} when too many images cannot be read; the last checkpoint stays
   */
  run(): Promise<SearchResult | undefined> {
    return this.#loop.run(async () => {
      using images = this.#options.images;
      try {
        for (;;) {
          const result = await this.#runStage();
          if (result) return result;
        }
      } finally {
        images.save();
      }
    });
  }

  /** What the current stage's network is made from. */
  stageSettings(): StageSettings {
    const { config, images, memoryMode } = this.#options;
    const { stage, kept } = this.#state;
    const which = { stage, classes: images.sources.data.classes.length, ...kept };
    return { ...stageSettings(config, which), memory: memoryMode };
  }

  /** Runs a stage from where it stands, and prepares the next; returns the last one's result. */
  async #runStage(): Promise<SearchResult | undefined> {
    const { config, folder, createRecorder } = this.#options;
    const state = this.#state;
    await this.#compile();
    this.#loaders = stageLoaders(this.#options.images.sources, config, state.stage);
    this.#alphaBatches = this.#loaders.alphas.cycle(state.alphaPosition);
    this.#trainer = new StageTrainer(this.stageSettings(), createRecorder?.());
    try {
      if (this.#restore) this.#trainer.restore(this.#restore);
      else folder.log({ type: "stage", ...this.#place(), ...this.#stageFacts() });
      this.#restore = undefined;
      while (state.epoch < config.epochs) await this.#runEpoch();
      return await this.#endStage();
    } finally {
      this.#trainer.dispose();
    }
  }

  /** Compiles what the stage's steps need; its time is the run's, and no step's. */
  async #compile(): Promise<void> {
    const { config, compileAhead, createRecorder } = this.#options;
    await compileAhead?.(() =>
      drySteps(this.stageSettings(), { size: config.batch, recorder: createRecorder?.() })
    );
    this.#loop.countTime(this.#state);
  }

  #stageFacts() {
    const { layers, addedChannels, skipDropout } = this.#options.config.stages[this.#state.stage];
    const channels = this.#options.config.channels + addedChannels;
    return { layers, channels, skipDropout, parameters: this.#trainer.parameterCount };
  }

  async #runEpoch(): Promise<void> {
    const { config, folder } = this.#options;
    const state = this.#state;
    const rates = this.#trainer.beginEpoch(state.epoch);
    if (state.phase === "train") {
      await this.#trainEpoch();
      const { normal, reduce } = await this.#trainer.alphas();
      folder.alphas({ ...this.#place(), normal, reduce });
      const { weights, alphas } = state.sums;
      folder.log({
        type: "epoch",
        ...this.#place(),
        ...rates,
        weights: meansOf(weights),
        alphas: meansOf(alphas),
      });
      if (state.epoch >= config.epochs - config.validationEpochs) {
        moveTo(state, state.epoch, "validate");
      }
    }
    if (state.phase === "validate") {
      await this.#validateEpoch();
      const report = meansOf(state.sums.evaluation);
      folder.log({ type: "validation", ...this.#place(), ...report });
      state.validation = report;
    }
    moveTo(state, state.epoch + 1, "train");
    await this.#loop.save();
  }

  async #trainEpoch(): Promise<void> {
    const { config } = this.#options;
    const state = this.#state, { epoch } = state;
    for await (const batch of this.#loaders.weights.epoch(epoch, state.step)) {
      const alphaBatch = epoch >= config.alphaFromEpoch
        ? await this.#alphaBatches.next()
        : undefined;
      const images = this.#trainStep(batch, alphaBatch);
      state.alphaPosition = this.#alphaBatches.position();
      await this.#loop.afterStep(state, { images, steps: this.#loaders.weights.batchesPerEpoch });
    }
  }

  /** The alpha step, if there is one, and the weight step; returns the number of images seen. */
  #trainStep(batch: Batch, alphaBatch: Batch | undefined): number {
    if (alphaBatch) this.#trainer.alphaStep(alphaBatch);
    this.#trainer.weightStep(batch);
    return batch.size + (alphaBatch?.size ?? 0);
  }

  async #validateEpoch(): Promise<void> {
    const { validation } = this.#loaders;
    for await (const batch of validation.epoch(this.#state.epoch, this.#state.step)) {
      this.#trainer.evaluate(batch);
      const done = { images: batch.size, steps: validation.batchesPerEpoch };
      await this.#loop.afterStep(this.#state, done);
    }
  }

  /** Reads the metrics since the last report, and logs those of training. */
  async #report(): Promise<void> {
    const { folder, progress, memory } = this.#options;
    const { phase, sums, step } = this.#state;
    const kinds = phase === "validate" ? ["evaluation"] as const : ["weights", "alphas"] as const;
    const line: Record<string, unknown> = { type: "report", ...this.#place(), step };
    for (const kind of kinds) {
      const report = await this.#trainer.report(kind);
      if (report.samples === 0) continue;
      if (!Number.isFinite(report.loss)) throw this.#diverged(kind);
      addReport(sums[kind], report);
      line[kind] = report;
      if (kind !== "alphas") progress.report(this.#state, report);
    }
    folder.log(line);
    const { seconds } = this.#state, imagesPerSecond = progress.imagesPerSecond;
    const time = new Date().toISOString();
    folder.timing({ ...this.#place(), step, time, seconds, imagesPerSecond, ...memory() });
  }

  #diverged(kind: string): RunError {
    const { stage, epoch } = this.#place();
    return new RunError(
      `Cannot continue: the loss of ${kind} is not finite at stage ${stage}, epoch ${epoch}, ` +
        `step ${this.#state.step}; try a lower learning rate`,
    );
  }

  /** Where the run stands, counted from 1. */
  #place(): { stage: number; epoch: number } {
    const { stage, epoch } = this.#state;
    return { stage: stage + 1, epoch: epoch + 1 };
  }

  async #save(): Promise<void> {
    const { folder, images } = this.#options;
    images.save();
    const { tensors, counters } = await this.#trainer.state();
    const state: SavedState = { state: this.#state, lengths: folder.lengths(), counters };
    await folder.save({ state, tensors });
  }

  async #endStage(): Promise<SearchResult | undefined> {
    const { config, folder } = this.#options;
    const { stage, kept, seconds, validation } = this.#state;
    const weights = await this.#trainer.alphas();
    const normal: EdgeWeights = { weights: weights.normal, kept: kept.normal };
    const reduce: EdgeWeights = { weights: weights.reduce, kept: kept.reduce };
    const final = stage === config.stages.length - 1;
    const drop = { drop: config.stages[stage].drop, final };
    const left = { normal: dropPrimitives(normal, drop), reduce: dropPrimitives(reduce, drop) };
    folder.log({ type: "drop", stage: stage + 1, ...left });
    if (!final) {
      this.#state = { ...beginningOfStage(stage + 1, left), seconds };
      return undefined;
    }
    const skips = restrictSkips({ normal, reduce });
    folder.log({ type: "genotype", ...skips });
    return { skips, validation, seconds };
  }
}
