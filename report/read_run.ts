/**
 * A run folder as a report sees it: read without locking, and whatever is missing or damaged left out.
 *
 * Invariant: a run that is being written, was killed in the middle of a line, or lost files still reads;
 * only a folder without a readable `config.json` is refused.
 */

import { basename, resolve } from "node:path";
import { readIfThere, RunError } from "../nn/run_files.ts";
import { readConfigText } from "../nn/run_folder.ts";
import { type RunState, runState } from "./run_state.ts";

/** A line of one of a run's files: anything that JSON holds under each key. */
export type Line = Readonly<Record<string, unknown>>;

/** A run as it lies on the disk. */
export interface RunRecord {
  /** The folder, as it was given. */
  readonly path: string;
  /** The folder's own name. */
  readonly name: string;
  readonly kind: "search" | "eval";
  /** Every number of the run. */
  readonly config: Line;
  /** The other options of the run, such as its note. */
  readonly options: Line;
  /** When it was begun, ISO 8601, and on what; empty where config.json does not tell. */
  readonly started: string;
  readonly backend: string;
  readonly state: RunState;
  /** The lines of `log.jsonl`, `timing.jsonl` and `alphas.jsonl`. */
  readonly log: readonly Line[];
  readonly timing: readonly Line[];
  readonly alphas: readonly Line[];
  /** Epochs of each stage of a search, or of the training. */
  readonly epochs: number;
  /** `summary.json` of a finished run. */
  readonly summary: Line;
  /** `genotypes.json` of a finished search. */
  readonly variants: readonly Line[];
  /** How many lines could not be read. */
  readonly unreadable: number;
}

/**
 * Reads a run folder.
 *
 * @throws {RunError} when there is no folder, or its `config.json` cannot be read
 */
export function readRun(path: string): RunRecord {
  const config = readConfig(path);
  const options = record(config.options);
  const files = ["log", "timing", "alphas"].map((name) => readLines(`${path}/${name}.jsonl`));
  const [log, timing, alphas] = files.map(({ lines }) => lines);
  return {
    path,
    name: basename(resolve(path)),
    kind: config.kind as RunRecord["kind"],
    config: record(options.config),
    options: record(options.run),
    started: text(config.started),
    backend: text(config.backend),
    state: runState(path, timing),
    log,
    timing: withoutRepeated(timing),
    alphas,
    epochs: mostEpochs(record(options.config), [...log, ...alphas]),
    summary: record(parsed(readIfThere(`${path}/summary.json`) ?? "{}")),
    variants: readVariants(`${path}/genotypes.json`),
    unreadable: files.reduce((sum, file) => sum + file.unreadable, 0),
  };
}

/** Whether a folder holds a run. */
export function hasRun(path: string): boolean {
  return readIfThere(`${path}/config.json`) !== undefined;
}

function readConfig(path: string): Line {
  const task = `read the run ${path}`;
  const config = record(parsed(readConfigText(path, task)));
  if (config.kind !== "search" && config.kind !== "eval") {
    throw new RunError(`Cannot ${task}: its config.json is not that of a search or a training`);
  }
  return config;
}

/** What the config says, or more where lines have gone further. */
function mostEpochs({ epochs }: Line, lines: readonly Line[]): number {
  const least = number(epochs) ?? 1;
  return lines.reduce((most, { epoch }) => Math.max(most, number(epoch) ?? 0), least);
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

/** The objects of a file of JSON lines. What follows the last line break is still being written. */
function readLines(path: string): { lines: Line[]; unreadable: number } {
  const content = readIfThere(path) ?? "";
  const whole = content.split("\n").slice(0, -1);
  const lines = whole.map(parsed).filter(isRecord);
  return { lines, unreadable: whole.length - lines.length };
}

function readVariants(path: string): Line[] {
  const variants = parsed(readIfThere(path) ?? "[]");
  return Array.isArray(variants) ? variants.filter(isRecord) : [];
}

/**
 * The lines of `timing.jsonl` without those that a resumed run has repeated: its clock goes back to the
 * checkpoint's, and what the file holds from there on was lost with the process before.
 */
export function withoutRepeated(timing: readonly Line[]): Line[] {
  const kept: Line[] = [];
  for (const line of timing) {
    const seconds = number(line.seconds);
    if (seconds === undefined) continue;
    while (kept.length > 0 && number(kept[kept.length - 1].seconds)! >= seconds) kept.pop();
    kept.push(line);
  }
  return kept;
}

function isRecord(value: unknown): value is Line {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value if it is an object, else an empty one. */
export function record(value: unknown): Line {
  return isRecord(value) ? value : {};
}

/** The value if it is a finite number. */
export function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The value if it is text, else the empty one. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
