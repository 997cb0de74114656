/**
 * What happens between two steps of a run, whatever it trains: counting, reports, checkpoints, the
 * display, and the end where one is asked for.
 *
 * Invariants: a run stops between two steps only, with a checkpoint; wall-clock time decides when a
 * checkpoint is written, and nothing else.
 */

/** Leaves a run's loops when it is to stop; caught in {@linkcode StepLoop.run}. */
class Stop extends Error {}

/** When a run reports, saves and stops. */
export interface StepLoopOptions {
  /** Steps between two reports. */
  readonly reportEvery: number;
  /** Minutes between two checkpoints within an epoch; 0 for one after every step. */
  readonly checkpointMinutes: number;
  /** Whether the run is to stop after the current step. */
  readonly interrupted: () => boolean;
}

/** What a run does then. */
export interface StepActions {
  /** Reads the metrics since the last report, and logs them. */
  readonly report: () => Promise<void>;
  /** Writes a checkpoint. */
  readonly save: () => Promise<void>;
  /** Shows how far the run is. */
  readonly show: (step: { images: number; milliseconds: number }) => void;
}

/** The part of a run's state that counts its steps. */
export interface StepCount {
  /** Steps done in this part of the epoch. */
  step: number;
  /** Seconds spent in earlier processes and this one; shown, never compared. */
  seconds: number;
}

/** The clock and the counter of a run. */
export class StepLoop {
  readonly #options: StepLoopOptions;
  readonly #actions: StepActions;
  #savedAt = performance.now();
  #steppedAt = performance.now();

  /** Starts the clock. */
  constructor(options: StepLoopOptions, actions: StepActions) {
    this.#options = options;
    this.#actions = actions;
  }

  /**
   * Runs the body to its end.
   *
   * @returns its result, or undefined where the run was to stop and has saved
   */
  async run<T>(body: () => Promise<T>): Promise<T | undefined> {
    this.#steppedAt = this.#savedAt = performance.now();
    try {
      return await body();
    } catch (error) {
      if (error instanceof Stop) return undefined;
      throw error;
    }
  }

  /** Counts a step on `images` images, the last of so many `steps` or not. */
  async afterStep(
    count: StepCount,
    { images, steps }: { images: number; steps: number },
  ): Promise<void> {
    const { reportEvery, checkpointMinutes, interrupted } = this.#options;
    count.step++;
    if (count.step % reportEvery === 0 || count.step === steps) await this.#actions.report();
    const milliseconds = this.countTime(count);
    this.#actions.show({ images, milliseconds });
    await new Promise((resolve) => setTimeout(resolve)); // lets messages of workers in
    if (interrupted()) {
      await this.save();
      throw new Stop();
    }
    if (performance.now() - this.#savedAt >= 60_000 * checkpointMinutes) await this.save();
  }

  /** Adds the time since the last step to the run's, and returns it in milliseconds. */
  countTime(count: StepCount): number {
    const now = performance.now(), milliseconds = now - this.#steppedAt;
    this.#steppedAt = now;
    count.seconds += milliseconds / 1000;
    return milliseconds;
  }

  /** Writes a checkpoint. */
  async save(): Promise<void> {
    await this.#actions.save();
    this.#savedAt = performance.now();
  }
}
