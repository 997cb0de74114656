/**
 * What a run shows while it works: one line with its place, step, loss, top-1, images a second and the
 * time left.
 *
 * The time left comes from the pace of late and a model of the work to come. Invariant: nothing here
 * reaches the run's result.
 */

import type { Report } from "./metrics.ts";
import { formatDuration, Pace, type ProgressLine } from "./progress.ts";

/** What the display must know of a kind of run; work is in any unit. */
export interface RunModel<State> {
  /** Where the run stands, such as `["epoch 1/2", "step 3/10"]`. */
  readonly place: (state: State) => readonly string[];
  /** The work of the step that was last taken. */
  readonly stepWork: (state: State) => number;
  /** The work that is left. */
  readonly workLeft: (state: State) => number;
}

/** The display of a run. */
export class RunProgress<State> {
  readonly #model: RunModel<State>;
  readonly #line: ProgressLine;
  readonly #work = new Pace();
  readonly #images = new Pace();
  #last: Report | undefined;
  #compiling = false;

  /** Shows nothing before the first step. */
  constructor(model: RunModel<State>, line: ProgressLine) {
    this.#model = model;
    this.#line = line;
  }

  /** Counts a step on `images` images, and redraws the line. */
  step(state: State, { images, milliseconds }: { images: number; milliseconds: number }): void {
    this.#work.add(this.#model.stepWork(state), milliseconds);
    this.#images.add(images, milliseconds);
    this.#line.update(this.#parts(state));
  }

  /** Shows a report of training, or of an evaluation. */
  report(state: State, report: Report): void {
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

  #parts(state: State): string[] {
    const rate = this.#work.rate(), speed = this.imagesPerSecond, last = this.#last;
    const left = rate && Math.max(0, this.#model.workLeft(state)) / rate;
    return [
      ...this.#model.place(state),
      ...(last ? [`loss ${last.loss.toFixed(3)}`, `top-1 ${(100 * last.top1).toFixed(1)} %`] : []),
      ...(speed === undefined ? [] : [`${speed.toPrecision(3)} images/s`]),
      ...(left === undefined ? [] : [`${formatDuration(left)} left`]),
    ];
  }
}
