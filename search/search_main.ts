/**
 * The program behind `deno task search`, from the command line to the genotype in the terminal.
 *
 * Data and backend come from outside, so that tests run the whole program on a few made-up images.
 * Invariant: what can be refused without data is refused before data is fetched, and a run folder is made
 * only once data and backend are there.
 */

import * as tf from "@tensorflow/tfjs-core";
import { type Backend, type BackendOptions, OutOfMemoryError } from "../backends/contract.ts";
import type { StartedBackend } from "../backends/mod.ts";
import { searchParts } from "../datasets/loader.ts";
import type { ImageDataset } from "../datasets/types.ts";
import project from "../deno.json" with { type: "json" };
import { type Checkpoint, hasCheckpoint, readCheckpoint } from "../nn/checkpoint.ts";
import { parseCommandLine } from "../nn/command_line.ts";
import { Interrupt } from "../nn/interrupt.ts";
import { ProgressLine, type ProgressOutput } from "../nn/progress.ts";
import { removeIfThere, RunError } from "../nn/run_files.ts";
import { prepareRunFolder, readRunConfig, RUN_FORMAT, RunFolder } from "../nn/run_folder.ts";
import {
  type Access,
  commandWith,
  type MainProgram,
  type Outcome,
  requestAccess,
} from "../nn/run_main.ts";
import type { SearchConfig } from "./config.ts";
import { checkSearchConfig } from "./config_checks.ts";
import { type MemoryAdvice, memoryAdvice } from "./memory_advice.ts";
import {
  configOf,
  type GivenOptions,
  inOptions,
  noteOn,
  resumedOptions,
  type RunOptions,
  runOptionsOf,
  SEARCH_COMMAND,
} from "./options.ts";
import { writeSummary } from "./run_summary.ts";
import { Search } from "./search.ts";
import { stageLoaders } from "./search_data.ts";
import { SearchProgress } from "./search_progress.ts";

/** What the program takes from outside. */
export interface SearchEnvironment {
  /** How it was started. */
  readonly program: MainProgram;
  /** Where its lines go. */
  readonly output: ProgressOutput;
  /** Starts a backend by name. */
  readonly startBackend: (name: string, options: BackendOptions) => Promise<StartedBackend>;
  /** Loads a data set; `data` is the path that a person gave. */
  readonly loadData: (
    which: { name: SearchConfig["dataset"]; data?: string; onProgress: (message: string) => void },
  ) => Promise<ImageDataset>;
}

/** A run that has been decided on: new, or continued from its folder. */
interface PlannedRun {
  readonly path: string;
  readonly search: SearchConfig;
  readonly run: RunOptions;
  readonly resumed: boolean;
}

/**
 * Runs the program.
 *
 * @throws {UsageError} for a command line that cannot be understood
 * @throws {Error} with one sentence for the user, for everything else that ends the run early
 */
export async function searchMain(
  args: readonly string[],
  environment: SearchEnvironment,
): Promise<Outcome> {
  const { output, program } = environment;
  const parsed = parseCommandLine(SEARCH_COMMAND, args);
  if ("help" in parsed) {
    output.write(parsed.help);
    return "done";
  }
  const plan = planRun(parsed.values, program);
  const line = new ProgressLine(output);
  const { data, started } = await setUp(plan, environment, line)
    .finally(() => removeIfThere(plan.path)); // a folder only if it is empty;
  const { folder, checkpoint } = await openFolder(plan, started.backend, line);
  using _folder = folder;
  line.print(`Run folder: ${plan.path}`);
  const note = noteOn(plan.search);
  if (note) line.print(note);
  return await runToEnd(plan, {
    data,
    backend: started.backend,
    folder,
    checkpoint,
    line,
    program,
  });
}

function planRun(given: GivenOptions, program: MainProgram): PlannedRun {
  if (typeof given.resume === "string") {
    const path = given.resume;
    requestAccess([folderAccess("--resume", path)], program);
    const { options } = readRunConfig<{ search: SearchConfig; run: RunOptions }>(path, "search");
    const run = resumedOptions(given, options);
    requestAccess(accessesOf({ path, run, resumed: true }), program);
    return { path, search: options.search, run, resumed: true };
  }
  const search = configOf(given), run = runOptionsOf(given);
  const path = given.save as string ?? `runs/search-${timeStamp(new Date())}`;
  requestAccess(accessesOf({ path, run, resumed: false }), program);
  prepareRunFolder(path);
  return { path, search, run, resumed: false };
}

function folderAccess(option: string, path: string): Access {
  return { option, path, kinds: ["read", "write"] };
}

/** What a run needs of the paths that a person gave. */
function accessesOf({ path, run, resumed }: Omit<PlannedRun, "search">): Access[] {
  const folder = folderAccess(resumed ? "--resume" : "--save", path);
  if (run.data === undefined) return [folder];
  return [folder, { option: "--data", path: run.data, kinds: ["read"] }];
}

function resumeCommand(
  plan: PlannedRun,
  program: MainProgram,
  options: readonly string[] = [],
): string {
  return commandWith(accessesOf(plan), [`--resume=${plan.path}`, ...options], program);
}

/** Local time as `20261124-153000`. */
function timeStamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

async function setUp(
  { search, run }: PlannedRun,
  { loadData, startBackend }: SearchEnvironment,
  line: ProgressLine,
): Promise<{ data: ImageDataset; started: StartedBackend }> {
  const onProgress = (message: string) => line.print(message);
  const data = await loadData({ name: search.dataset, data: run.data, onProgress });
  try {
    const { weights, alphas } = searchParts(data.train.count, { share: search.trainShare });
    checkSearchConfig(search, {
      images: Math.min(weights.end - weights.first, alphas.end - alphas.first),
    });
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(inOptions(error.message)) : error;
  }
  const started = await startBackend(run.backend, {
    threads: run.threads,
    adapter: run.adapter,
    subgroups: run.subgroups === "on",
    storage: run.storage,
    precision: run.precision,
  });
  const reasons = started.notTaken.length > 0 ? ` (${started.notTaken.join("; ")})` : "";
  line.print(`Backend: ${started.backend.description}${reasons}`);
  return { data, started };
}

async function openFolder(
  { path, search, run, resumed }: PlannedRun,
  backend: Backend,
  line: ProgressLine,
): Promise<{ folder: RunFolder; checkpoint: Checkpoint | undefined }> {
  if (!resumed) {
    const folder = RunFolder.create(path, {
      format: RUN_FORMAT,
      kind: "search",
      options: { search, run: { ...run, backend: backend.name } },
      versions: { pdarts: project.version, ...Deno.version, tfjs: tf.version_core },
      backend: backend.description,
      started: new Date().toISOString(),
    });
    return { folder, checkpoint: undefined };
  }
  const folder = RunFolder.open(path);
  const found = await readCheckpoint(path);
  found?.notes.forEach((note) => line.print(note));
  return { folder, checkpoint: found?.checkpoint };
}

interface RunParts {
  readonly data: ImageDataset;
  readonly backend: Backend;
  readonly folder: RunFolder;
  readonly checkpoint: Checkpoint | undefined;
  readonly line: ProgressLine;
  readonly program: MainProgram;
}

async function runToEnd(plan: PlannedRun, parts: RunParts): Promise<Outcome> {
  const { data, backend, folder, checkpoint, line, program } = parts;
  const { search: config, run } = plan;
  const { weights, validation } = stageLoaders(data, config, 0);
  const batches = { train: weights.batchesPerEpoch, validate: validation.batchesPerEpoch };
  const progress = new SearchProgress({ config, batches, line });
  using interrupt = await Interrupt.listen();
  const search = new Search({
    config,
    data,
    folder,
    progress,
    reportEvery: run.reportEvery,
    checkpointMinutes: run.checkpointMinutes,
    interrupted: () => interrupt.requested,
    compileAhead: backend.compileAhead &&
      ((body) => backend.compileAhead!(body, (...done) => progress.compiling(...done))),
    memoryMode: run.memory,
    memory: () => backend.memory(),
    createRecorder: backend.createRecorder,
  }, checkpoint);
  try {
    const result = await search.run();
    line.clear();
    if (!result) {
      line.print(`Saved. To continue: ${resumeCommand(plan, program)}`);
      return interrupt.terminated ? "terminated" : "interrupted";
    }
    const context = {
      folder,
      classes: data.classes.length,
      maxSkips: config.maxSkips,
      note: run.note,
    };
    line.print(`\n${await writeSummary(result, context)}`);
    return "done";
  } catch (error) {
    line.clear();
    const advice = error instanceof OutOfMemoryError
      ? memoryAdvice(error, { settings: search.stageSettings(), batch: config.batch, backend })
      : undefined;
    throw withWayOn(error, plan, { advice, program });
  }
}

/** An error of a running search, with what is left of the run and how to go on. */
function withWayOn(
  error: unknown,
  plan: PlannedRun,
  { advice, program }: { advice: MemoryAdvice | undefined; program: MainProgram },
): unknown {
  if (!(error instanceof Error)) return error;
  const parts = [error.message];
  if (advice) parts.push(advice.message);
  if (hasCheckpoint(plan.path)) {
    const command = resumeCommand(plan, program, advice?.options);
    parts.push(`the last checkpoint stays, to continue from it: ${command}`);
  }
  return parts.length > 1 ? new RunError(parts.join("; "), { cause: error }) : error;
}
