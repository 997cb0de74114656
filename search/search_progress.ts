/**
 * What a search shows while it runs: one line with stage, epoch, step, loss, top-1, images a second and
 * the time left.
 *
 * The time left comes from the pace of late and a model of the work to come: a step costs in proportion
 * to cells, primitives per edge and channels, twice as much where an alpha step precedes it, and a
 * validation batch a third. Invariant: nothing here reaches the run's result.
 */

import { formatDuration, Pace, type ProgressLine } from "../nn/progress.ts";
import type { SearchConfig } from "./config.ts";
import { PRIMITIVES } from "../nn/primitives.ts";
import type { SearchState } from "./search_state.ts";
import type { Report } from "./stage_trainer.ts";

/** A validation batch's work as a share of a weight step's. */
const VALIDATION_SHARE = 1 / 3;

/** Batches per epoch. */
export interface EpochBatches {
  /** Of an epoch of training: steps. */
  readonly train: number;
  /** Of a validation. */
  readonly validate: number;
}

/** What {@linkcode SearchProgress} needs. */
export interface SearchProgressOptions {
  /** The search's numbers. */
  readonly config: SearchConfig;
  /** How many steps there are. */
  readonly batches: EpochBatches;
  /** Where it is shown. */
  readonly line: ProgressLine;
}

/** The display of a running search. */
export class SearchProgress {
  readonly #config: SearchConfig;
  readonly #batches: EpochBatches;
  readonly #line: ProgressLine;
  readonly #work = new Pace();
  readonly #images = new Pace();
  #last: Report | undefined;
  #compiling = false;

  /** Shows nothing before the first step. */
  constructor({ config, batches, line }: SearchProgressOptions) {
    this.#config = config;
    this.#batches = batches;
    this.#line = line;
  }

  /** Counts a step of `images` images, an alpha step's counted too, and redraws the line. */
  step(
    state: SearchState,
    { images, milliseconds }: { images: number; milliseconds: number },
  ): void {
    const work = state.phase === "validate"
      ? VALIDATION_SHARE
      : 1 + Number(this.#takesAlpha(state));
    this.#work.add(work * this.#stepWork(state.stage), milliseconds);
    this.#images.add(images, milliseconds);
    this.#line.update(this.#parts(state));
  }

  /** Shows a report of training, or of validation. */
  report(state: SearchState, report: Report): void {
    this.#last = report;
    this.#line.report(this.#parts(state));
  }

  /** Shows how many shaders are compiled; where lines stay, before the rest and after the last alone. */
  compiling(done: number, total: number): void {
    const parts = [`Compiling shaders ${done}/${total}`];
    if (done === total || !this.#compiling) this.#line.report(parts);
    else this.#line.update(parts);
    this.#compiling = done < total;
  }

  /** Images a second of late; undefined before the first step. */
  get imagesPerSecond(): number | undefined {
    const rate = this.#images.rate();
    return rate === undefined ? undefined : 1000 * rate;
  }

  /** Prints a sentence that stays. */
  print(sentence: string): void {
    this.#line.print(sentence);
  }

  /** Removes the redrawn line. */
  clear(): void {
    this.#line.clear();
  }

  #takesAlpha({ epoch }: { epoch: number }): boolean {
    return epoch >= this.#config.alphaFromEpoch;
  }

  #parts(state: SearchState): string[] {
    const { stages, epochs } = this.#config;
    const validating = state.phase === "validate";
    const batches = validating ? this.#batches.validate : this.#batches.train;
    const left = this.#millisecondsLeft(state), speed = this.imagesPerSecond;
    return [
      `stage ${state.stage + 1}/${stages.length}`,
      `epoch ${state.epoch + 1}/${epochs}`,
      `${validating ? "validation" : "step"} ${state.step}/${batches}`,
      ...(this.#last
        ? [
          `loss ${this.#last.loss.toFixed(3)}`,
          `top-1 ${(100 * this.#last.top1).toFixed(1)} %`,
        ]
        : []),
      ...(speed === undefined ? [] : [`${speed.toPrecision(3)} images/s`]),
      ...(left === undefined ? [] : [`${formatDuration(left)} left`]),
    ];
  }

  /** Relative work of a weight step. */
  #stepWork(stage: number): number {
    const { stages, channels } = this.#config;
    const dropped = stages.slice(0, stage).reduce((sum, { drop }) => sum + drop, 0);
    const { layers, addedChannels } = stages[stage];
    return layers * (PRIMITIVES.length - dropped) * (channels + addedChannels);
  }

  /** Relative work of an epoch of a stage. */
  #epochWork(epoch: number): number {
    return this.#batches.train * (1 + Number(this.#takesAlpha({ epoch }))) +
      (this.#validates(epoch) ? this.#batches.validate * VALIDATION_SHARE : 0);
  }

  #validates(epoch: number): boolean {
    return epoch >= this.#config.epochs - this.#config.validationEpochs;
  }

  #millisecondsLeft({ stage, epoch, phase, step }: SearchState): number | undefined {
    const rate = this.#work.rate();
    if (rate === undefined) return undefined;
    let work = 0;
    for (let later = stage; later < this.#config.stages.length; later++) {
      for (let e = later === stage ? epoch : 0; e < this.#config.epochs; e++) {
        work += this.#epochWork(e) * this.#stepWork(later);
      }
    }
    const stepsDone = phase === "validate" ? this.#batches.train : step;
    const done = stepsDone * (1 + Number(this.#takesAlpha({ epoch }))) +
      (phase === "validate" ? step * VALIDATION_SHARE : 0);
    return Math.max(0, work - done * this.#stepWork(stage)) / rate;
  }
}
