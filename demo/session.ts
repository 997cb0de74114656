/**
 * A search in the browser: that of `deno task search`, with its records told to the page. To pause is to
 * stop with a checkpoint; to resume is to continue from it, with the same result as an unbroken run.
 */

import type { Backend } from "../backends/contract.ts";
import { BatchSources } from "../datasets/batch_sources.ts";
import type { ImageDataset } from "../datasets/types.ts";
import { genotypeOfAtMost } from "../search/restrict_skips.ts";
import { Search } from "../search/search.ts";
import { demoConfig, type DemoSettings } from "./demo_config.ts";
import type { News } from "./messages.ts";
import { PageRecords } from "./page_records.ts";

/** What a session works with. */
export interface SessionOptions {
  readonly settings: DemoSettings;
  readonly data: ImageDataset;
  readonly backend: Backend;
  /** Told of everything. */
  readonly tell: (news: News) => void;
}

/** Steps between two reports. */
const REPORT_EVERY = 2;
/** Share of the latest step in the speed that is shown. */
const LATEST = 0.2;

/** One search, from its start to its end. */
export class Session {
  readonly #options: SessionOptions;
  readonly #records: PageRecords;
  #pausing = false;
  #running = false;
  /** Images a second. */
  #speed: number | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#records = new PageRecords(options.tell);
  }

  /** Stops after the current step. */
  pause(): void {
    this.#pausing = true;
  }

  /**
   * Runs until the end or a pause, from where the session stands; one that runs goes on.
   *
   * @throws {RangeError} If a setting is out of its range.
   */
  async run(): Promise<void> {
    this.#pausing = false;
    if (this.#running) return;
    this.#running = true;
    try {
      await this.#run();
    } finally {
      this.#running = false;
    }
  }

  async #run(): Promise<void> {
    const { settings, data, backend, tell } = this.#options, config = demoConfig(settings);
    const sources = new BatchSources(data);
    const search = new Search({
      config,
      images: { sources, save: () => {}, [Symbol.dispose]: () => sources[Symbol.dispose]() },
      folder: this.#records,
      progress: {
        imagesPerSecond: undefined,
        report: () => {},
        step: (state, done) =>
          tell({
            type: "step",
            stage: state.stage + 1,
            epoch: state.epoch + 1,
            step: state.step,
            validating: state.phase === "validate",
            imagesPerSecond: this.#paced(1000 * done.images / done.milliseconds),
          }),
      },
      reportEvery: REPORT_EVERY,
      checkpointMinutes: Infinity,
      interrupted: () => this.#pausing,
      compileAhead: backend.compileAhead &&
        ((body) =>
          backend.compileAhead!(body, (done, total) => tell({ type: "compiling", done, total }))),
      memory: () => backend.memory(),
      createRecorder: backend.createRecorder,
    }, this.#records.checkpoint);
    const result = await search.run();
    if (!result) return tell({ type: "paused" });
    const genotype = genotypeOfAtMost(result.skips, config.maxSkips);
    tell({ type: "done", genotype, seconds: result.seconds });
  }

  #paced(speed: number): number {
    return this.#speed = this.#speed === undefined
      ? speed
      : (1 - LATEST) * this.#speed + LATEST * speed;
  }
}
