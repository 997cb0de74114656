/**
 * A program that makes a run folder, whatever it trains: from the options given to the end of the run.
 *
 * Data and backend come from outside, so that tests run whole programs on a few made-up images.
 * Invariants: what can be refused without backend and data is refused before they are had, a backend that
 * cannot start says so before data is fetched, and a run folder is made only once both are there.
 */

import * as tf from "@tensorflow/tfjs-core";
import { type Backend, type BackendOptions, OutOfMemoryError } from "../backends/contract.ts";
import type { StartedBackend } from "../backends/mod.ts";
import project from "../deno.json" with { type: "json" };
import { type Checkpoint, hasCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { type ConfigOption, type GivenOptions, inOptions } from "./config_options.ts";
import type { FolderConfig } from "./folder_config.ts";
import { Interrupt } from "./interrupt.ts";
import type { MemoryAdvice } from "./memory_advice.ts";
import { ProgressLine, type ProgressOutput } from "./progress.ts";
import { removeIfThere, RunError } from "./run_files.ts";
import {
  prepareRunFolder,
  readRunConfig,
  RUN_FORMAT,
  type RunConfig,
  RunFolder,
} from "./run_folder.ts";
import {
  type Access,
  commandWith,
  type MainProgram,
  type Outcome,
  requestAccess,
} from "./run_main.ts";
import {
  type BackendChoice,
  resumedOptions,
  RUN_DEFAULTS,
  type RunOptions,
  runOptionsOf,
} from "./run_options.ts";

/** Starts a backend by name. */
export type StartBackend = (name: string, options: BackendOptions) => Promise<StartedBackend>;

/** A data set that knows its name. */
export interface NamedData {
  readonly name: string;
}

/** Which data a program wants. */
export interface DataRequest<Name extends string> {
  /** The data set. */
  readonly name: Name;
  /** The path that a person gave. */
  readonly data?: string;
  /** What is used of a folder of images; null for other data sets. */
  readonly folder: FolderConfig | null;
  /** Draws what is used of a folder. */
  readonly seed: number;
  /** Told what is being done where it takes seconds. */
  readonly onProgress: (message: string) => void;
}

/** What a program takes from outside. */
export interface ProgramEnvironment<Data extends NamedData> {
  /** How it was started. */
  readonly program: MainProgram;
  /** Where its lines go. */
  readonly output: ProgressOutput;
  /** Starts a backend by name. */
  readonly startBackend: StartBackend;
  /** Shows the run elsewhere than in the terminal, where its options ask for that. */
  readonly watch?: Watch;
  /** Loads a data set. */
  readonly loadData: (which: DataRequest<Data["name"]>) => Promise<Data>;
}

/** What every config tells of its data. */
export interface DataConfig<Name extends string> {
  dataset: Name;
  seed: number;
  folder: FolderConfig | null;
}

/** What a run begins with. */
export interface RunParts<Config, Data, Prepared = void> {
  readonly config: Config;
  readonly options: RunOptions;
  readonly data: Data;
  /** What `prepare` returned; absent where the run continues. */
  readonly prepared: Prepared | undefined;
  readonly backend: Backend;
  readonly folder: RunFolder;
  /** Where to continue; the beginning where there is none. */
  readonly checkpoint: Checkpoint | undefined;
  readonly line: ProgressLine;
  /** Whether the run is to stop after the current step. */
  readonly interrupted: () => boolean;
}

/** Shows a run while it goes on, until it is disposed; by then what the run has left is shown too. */
export type Watch = (
  path: string,
  options: RunOptions,
  environment: { program: MainProgram; print: (sentence: string) => void },
) => Promise<AsyncDisposable | undefined>;

/** A run that is ready. */
export interface Run {
  /** Runs to the end; resolves to what the terminal shows then, or undefined where it was interrupted. */
  readonly run: () => Promise<string | undefined>;
  /** What to do where memory ran out. */
  readonly advice: (error: OutOfMemoryError) => MemoryAdvice;
}

/** A kind of run. */
export interface RunKind<
  Config extends DataConfig<Data["name"]>,
  Data extends NamedData,
  Prepared = void,
> {
  /** Its name in config.json, and in the name of its folder. */
  readonly kind: RunConfig["kind"];
  /** Words of the command line before the options that resume such a run. */
  readonly words: readonly string[];
  /** Options of the config. */
  readonly options: readonly ConfigOption[];
  /** Paths that options of the config name. */
  readonly accesses?: (given: GivenOptions) => readonly Access[];
  /** The config that the options ask for. */
  readonly configOf: (given: GivenOptions) => Config;
  /** A config as read from a run, with what an earlier version did not write. */
  readonly complete: (config: Config) => Config;
  /** The config of a new run in the numbers that the data has, but for what a person gave. */
  readonly fit: (config: Config, data: Data, given: GivenOptions) => Config;
  /** Checks a config against the data; throws a RangeError as its own checks do. */
  readonly checkData: (config: Config, data: Data) => void;
  /** Makes, on the backend, what a new run begins with; throws where that cannot be had. */
  readonly prepare?: (config: Config, data: Data) => Promise<Prepared>;
  /** What a person may not have meant about a config that is valid. */
  readonly noteOn?: (config: Config) => string | undefined;
  /** Prepares a run. */
  readonly begin: (parts: RunParts<Config, Data, Prepared>) => Run;
}

/** A run that has been decided on: new, or continued from its folder. */
interface PlannedRun<Config> {
  readonly path: string;
  readonly config: Config;
  readonly run: RunOptions;
  readonly resumed: boolean;
}

/** How a run ended, and what it was. */
export interface EndedRun<Config> {
  readonly outcome: Outcome;
  /** Its folder. */
  readonly path: string;
  readonly config: Config;
  readonly options: RunOptions;
}

/**
 * Makes or continues a run.
 *
 * @param resumeWords Options to repeat in the command that resumes the run.
 * @throws {UsageError} for options that do not fit together
 * @throws {Error} with one sentence for the user, for everything else that ends the run early
 */
export async function runProgram<
  Config extends DataConfig<Data["name"]>,
  Data extends NamedData,
  Prepared,
>(
  kind: RunKind<Config, Data, Prepared>,
  { given, resumeWords = [] }: { given: GivenOptions; resumeWords?: readonly string[] },
  environment: ProgramEnvironment<Data>,
): Promise<EndedRun<Config>> {
  const { output, program } = environment;
  const planned = planRun(kind, given, program);
  const { path } = planned;
  const line = new ProgressLine(output);
  const print = (sentence: string) => line.print(sentence);
  await using _watch = await environment.watch?.(path, planned.run, { program, print });
  const { data, backend, plan, prepared } = await setUp(kind, planned, { environment, line, given })
    .finally(() => removeIfThere(path)); // a folder only if it is empty
  const { folder, checkpoint } = await openFolder(kind.kind, plan, { backend, line });
  using _folder = folder;
  line.print(`Run folder: ${path}`);
  const note = kind.noteOn?.(plan.config);
  if (note) line.print(note);
  using interrupt = await Interrupt.listen();
  const { config, run: options } = plan;
  const interrupted = () => interrupt.requested;
  const parts = { config, options, data, prepared, backend, folder, checkpoint, line, interrupted };
  const run = kind.begin(parts);
  const resume = (more: readonly string[] = []) =>
    commandWith(
      accessesOf(plan),
      [...kind.words, `--resume=${path}`, ...more, ...resumeWords],
      program,
    );
  try {
    const text = await run.run();
    line.clear();
    if (text === undefined) {
      line.print(`Saved. To continue: ${resume()}`);
      const outcome = interrupt.terminated ? "terminated" : "interrupted";
      noteEnd(folder, outcome);
      return { outcome, path, config, options };
    }
    line.print(`\n${text}`);
    noteEnd(folder, "done");
    return { outcome: "done", path, config, options };
  } catch (error) {
    line.clear();
    noteEnd(folder, "failed", error);
    const advice = error instanceof OutOfMemoryError ? run.advice(error) : undefined;
    throw withWayOn(error, path, { advice, resume });
  }
}

/** Leaves in `timing.jsonl` how the run ended; a run that was killed leaves nothing. */
function noteEnd(folder: RunFolder, ended: Outcome | "failed", error?: unknown): void {
  const reason = error instanceof Error ? error.message : undefined;
  try {
    folder.timing({ time: new Date().toISOString(), ended, reason });
  } catch (failure) {
    if (!(failure instanceof RunError)) throw failure; // a full disk has been told of already
  }
}

function planRun<Config extends DataConfig<Data["name"]>, Data extends NamedData, Prepared>(
  kind: RunKind<Config, Data, Prepared>,
  given: GivenOptions,
  program: MainProgram,
): PlannedRun<Config> {
  if (typeof given.resume === "string") {
    const path = given.resume;
    requestAccess([folderAccess("--resume", path)], program);
    const { options } = readRunConfig<{ config: Config; run: RunOptions }>(path, kind.kind);
    const config = kind.complete(options.config);
    const begun = { ...RUN_DEFAULTS, ...options.run };
    const run = resumedOptions(given, { config, run: begun, options: kind.options });
    requestAccess(accessesOf({ path, run, resumed: true }), program);
    return { path, config, run, resumed: true };
  }
  const run = runOptionsOf(given);
  const path = given.save as string ?? `runs/${kind.kind}-${timeStamp(new Date())}`;
  const ofConfig = kind.accesses?.(given) ?? [];
  requestAccess(ofConfig, program);
  const config = kind.configOf(given);
  requestAccess([...ofConfig, ...accessesOf({ path, run, resumed: false })], program);
  prepareRunFolder(path);
  return { path, config, run, resumed: false };
}

function folderAccess(option: string, path: string): Access {
  return { option, path, kinds: ["read", "write"] };
}

/** What a run needs of the paths that a person gave. */
function accessesOf({ path, run, resumed }: Omit<PlannedRun<unknown>, "config">): Access[] {
  const folder = folderAccess(resumed ? "--resume" : "--save", path);
  return [folder, ...dataAccesses(run)];
}

/** The path that `--data` names, if it is given. */
export function dataAccesses({ data }: { data?: string }): Access[] {
  return data === undefined ? [] : [{ option: "--data", path: data, kinds: ["read"] }];
}

/** Local time as `20261124-153000`. */
export function timeStamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

/** Starts a backend, and says which it is and why not those before. */
export async function startChosen(
  { backend: name, backendOptions }: BackendChoice,
  startBackend: StartBackend,
  line: ProgressLine,
): Promise<Backend> {
  const { backend, notTaken } = await startBackend(name, backendOptions);
  const reasons = notTaken.length > 0 ? ` (${notTaken.join("; ")})` : "";
  line.print(`Backend: ${backend.description}${reasons}`);
  return backend;
}

async function setUp<Config extends DataConfig<Data["name"]>, Data extends NamedData, Prepared>(
  kind: RunKind<Config, Data, Prepared>,
  planned: PlannedRun<Config>,
  { environment, line, given }: {
    environment: ProgramEnvironment<Data>;
    line: ProgressLine;
    given: GivenOptions;
  },
): Promise<{
  data: Data;
  backend: Backend;
  plan: PlannedRun<Config>;
  prepared: Prepared | undefined;
}> {
  const { config: wanted, run, resumed } = planned, { dataset: name, seed, folder } = wanted;
  const backend = await startChosen(run, environment.startBackend, line);
  const onProgress = (message: string) => line.print(message);
  const data = await environment.loadData({ name, data: run.data, folder, seed, onProgress });
  const config = resumed ? wanted : kind.fit(wanted, data, given);
  try {
    kind.checkData(config, data);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(inOptions(error.message, kind.options));
  }
  const prepared = resumed ? undefined : await kind.prepare?.(config, data);
  return { data, backend, plan: { ...planned, config }, prepared };
}

async function openFolder<Config>(
  kind: RunConfig["kind"],
  { path, config, run, resumed }: PlannedRun<Config>,
  { backend, line }: { backend: Backend; line: ProgressLine },
): Promise<{ folder: RunFolder; checkpoint: Checkpoint | undefined }> {
  if (!resumed) {
    const folder = RunFolder.create(path, {
      format: RUN_FORMAT,
      kind,
      options: { config, run: { ...run, backend: backend.name } },
      versions: { pdarts: project.version, ...Deno.version, tfjs: tf.version_core },
      backend: backend.description,
      started: new Date().toISOString(),
    });
    return { folder, checkpoint: undefined };
  }
  const folder = RunFolder.open(path, kind);
  const found = await readCheckpoint(path);
  found?.notes.forEach((note) => line.print(note));
  return { folder, checkpoint: found?.checkpoint };
}

/** An error of a run, with what is left of the run and how to go on. */
function withWayOn(
  error: unknown,
  path: string,
  { advice, resume }: {
    advice: MemoryAdvice | undefined;
    resume: (more?: readonly string[]) => string;
  },
): unknown {
  if (!(error instanceof Error)) return error;
  const parts = [error.message];
  if (advice) parts.push(advice.message);
  if (hasCheckpoint(path)) {
    parts.push(`the last checkpoint stays, to continue from it: ${resume(advice?.options)}`);
  }
  return parts.length > 1 ? new RunError(parts.join("; "), { cause: error }) : error;
}
