/**
 * A run folder: everything that a search or a training run leaves behind, in one place.
 *
 * | file | content |
 * |---|---|
 * | `config.json` | format, kind of run, every option, versions, device |
 * | `log.jsonl` | a line per report, epoch, validation and stage: the same in every run of one config |
 * | `timing.jsonl` | speed, memory and time of day beside it: differs from run to run |
 * | `alphas.jsonl` | of a search: the architecture weights (softmax of the alphas) after every epoch |
 * | `checkpoint*.safetensors` | the state to continue from, see `checkpoint.ts` |
 * | further files | genotypes, drawings, summary, as the kind of run leaves them |
 *
 * Invariants: a folder that holds a run is never overwritten; one process uses it at a time; the lines of
 * `log.jsonl` and `alphas.jsonl` that follow the checkpoint are cut off before the run continues.
 */

import { type Checkpoint, writeCheckpoint } from "./checkpoint.ts";
import { attempt, JsonLines, replaceFile, RunError } from "./run_files.ts";

/** Version of the folder's layout and of the checkpoint's content. */
export const RUN_FORMAT = 3;

/** Bytes of each file of lines at a moment, as a checkpoint stores them. */
export interface LineLengths {
  /** Of `log.jsonl`. */
  readonly log: number;
  /** Of `alphas.jsonl`, which a search has. */
  readonly alphas?: number;
}

/** What `config.json` holds. */
export interface RunConfig<Options = Record<string, unknown>> {
  /** {@linkcode RUN_FORMAT}. */
  readonly format: number;
  /** The kind of run. */
  readonly kind: "search" | "eval";
  /** Every option of the run. */
  readonly options: Options;
  /** Versions of this program, Deno, V8 and tfjs. */
  readonly versions: Readonly<Record<string, string>>;
  /** The backend's description of itself. */
  readonly backend: string;
  /** When the run was begun, ISO 8601. */
  readonly started: string;
}

/** A run folder in use; dispose it to let others use it. */
export class RunFolder implements Disposable {
  /** The folder's path as given. */
  readonly path: string;
  readonly #log: JsonLines;
  readonly #timing: JsonLines;
  readonly #alphas: JsonLines | undefined;

  private constructor(path: string, kind: RunConfig["kind"]) {
    this.path = path;
    this.#log = new JsonLines(`${path}/log.jsonl`);
    this.#timing = new JsonLines(`${path}/timing.jsonl`);
    if (kind === "search") this.#alphas = new JsonLines(`${path}/alphas.jsonl`);
    if (!this.#log.lock()) {
      this[Symbol.dispose]();
      throw new RunError(`Cannot use the run folder ${path}: another process is using it`);
    }
  }

  /**
   * Makes the folder of a new run.
   *
   * @throws {RunError} when it holds a run or other files already, or cannot be made
   */
  static create<Options>(path: string, config: RunConfig<Options>): RunFolder {
    prepareRunFolder(path);
    replaceFile(`${path}/config.json`, JSON.stringify(config, null, 2) + "\n");
    return new RunFolder(path, config.kind);
  }

  /** Opens the folder of a run that {@linkcode readRunConfig} has read. */
  static open(path: string, kind: RunConfig["kind"]): RunFolder {
    return new RunFolder(path, kind);
  }

  /** Adds a line to `log.jsonl`: only what every run of the same config repeats. */
  log(line: Record<string, unknown>): void {
    this.#log.append(line);
  }

  /** Adds a line to `timing.jsonl`: what differs from run to run. */
  timing(line: Record<string, unknown>): void {
    this.#timing.append(line);
  }

  /** Adds a line to `alphas.jsonl`, which a search has. */
  alphas(line: Record<string, unknown>): void {
    this.#alphas?.append(line);
  }

  /** Waits until the lines are on the disk, and returns the lengths that a checkpoint needs. */
  lengths(): LineLengths {
    return { log: this.#log.sync(), alphas: this.#alphas?.sync() };
  }

  /**
   * Cuts the result lines back to what a checkpoint has seen.
   *
   * @throws {RunError} when a file has become shorter than that
   */
  cutBack(lengths: LineLengths): void {
    this.#log.truncate(lengths.log);
    this.#alphas?.truncate(lengths.alphas ?? 0);
  }

  /** Writes a checkpoint: see {@linkcode writeCheckpoint}. */
  save(checkpoint: Checkpoint): Promise<void> {
    return writeCheckpoint(this.path, checkpoint);
  }

  /** Writes or replaces one of the further files. */
  write(name: string, content: string | Uint8Array): void {
    replaceFile(`${this.path}/${name}`, content);
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const lines of [this.#log, this.#timing, this.#alphas]) lines?.[Symbol.dispose]();
  }
}

/** What a run writes while it goes on; where there are no files, into another place than a folder. */
export type RunRecords = Pick<
  RunFolder,
  "path" | "log" | "timing" | "alphas" | "lengths" | "cutBack" | "save"
>;

/**
 * Makes a folder for a new run where there is none.
 *
 * @throws {RunError} when it holds a run or other files already, or cannot be made
 */
export function prepareRunFolder(path: string): void {
  attempt(`make the run folder ${path}`, () => Deno.mkdirSync(path, { recursive: true }));
  const names = attempt(`read the run folder ${path}`, () => [...Deno.readDirSync(path)])
    .map(({ name }) => name).filter((name) => !name.endsWith(".tmp"));
  if (names.includes("config.json")) {
    throw new RunError(
      `Cannot save to ${path}: it holds a run; continue that with --resume=${path}, or give ` +
        `--save another folder`,
    );
  }
  if (names.length > 0) {
    throw new RunError(
      `Cannot save to ${path}: the folder is not empty; give --save another one`,
    );
  }
}

/**
 * The text of a run's `config.json`.
 *
 * @param task What it is read for, as in "Cannot ${task}: reason".
 * @throws {RunError} when the folder holds none, or it cannot be read
 */
export function readConfigText(path: string, task: string): string {
  return attempt(task, () => {
    try {
      return Deno.readTextFileSync(`${path}/config.json`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new RunError(`Cannot ${task}: it is not a run folder, config.json is missing`);
    }
  });
}

/**
 * Reads a run's `config.json`.
 *
 * @param kind The kind of run that the folder must hold.
 * @throws {RunError} when the folder holds no run, one of another kind, or one of another format
 */
export function readRunConfig<Options>(
  path: string,
  kind: RunConfig["kind"],
): RunConfig<Options> {
  const task = `resume ${path}`;
  const text = readConfigText(path, task);
  let config: RunConfig<Options>;
  try {
    config = JSON.parse(text);
  } catch {
    throw new RunError(`Cannot ${task}: its config.json is not JSON`);
  }
  if (config?.format !== RUN_FORMAT) {
    throw new RunError(
      `Cannot ${task}: its format is ${config?.format}, and this version reads format ${RUN_FORMAT}`,
    );
  }
  if (config.kind !== kind) {
    throw new RunError(`Cannot ${task}: it holds a run of kind '${config.kind}', not '${kind}'`);
  }
  return config;
}
