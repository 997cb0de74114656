/** Which runs lie below a folder, how they stand, and how each goes on, for people: `deno task runs`. */

import * as colors from "deno-std/fmt/colors.js";
import { EVAL_TASK } from "../evaluate/task.ts";
import { oneLine } from "../nn/command_line.ts";
import { RunError } from "../nn/run_files.ts";
import { commandWith } from "../nn/run_main.ts";
import { SEARCH_TASK } from "../search/task.ts";
import { bestFigure, percent, placeText } from "./figures.ts";
import { readRun, type RunRecord, text } from "./read_run.ts";
import type { RunState } from "./run_state.ts";

/** Folders below one are searched so deep: a search's training lies in its run's folder. */
const DEPTH = 3;

const PAINT: Record<RunState["name"], (text: string) => string> = {
  running: colors.green,
  finished: (text: string) => text,
  interrupted: colors.yellow,
  failed: colors.red,
  died: colors.red,
};

/** The folders of runs, at a path and below, those begun first ahead. */
export function findRuns(path: string, depth: number = DEPTH): string[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new RunError(`Cannot list ${path}: no such folder`);
    }
    throw error;
  }
  const own = entries.some(({ name }) => name === "config.json") ? [path] : [];
  const folders = depth === 0 ? [] : entries.filter(({ isDirectory }) => isDirectory);
  const names = folders.map(({ name }) => name).sort();
  return [...own, ...names.flatMap((name) => findRuns(`${path}/${name}`, depth - 1))];
}

/** The command that continues a run; undefined where there is nothing to continue. */
export function resumeCommand({ path, kind, state, options }: RunRecord): string | undefined {
  if (state.name === "running" || state.name === "finished") return undefined;
  const program = kind === "search" ? SEARCH_TASK : EVAL_TASK,
    words = kind === "search" ? [] : ["train"];
  const data = text(options.data);
  return commandWith(
    [
      { option: "--resume", path, kinds: ["read", "write"] },
      ...(data === "" ? [] : [{ option: "--data", path: data, kinds: ["read"] as const }]),
    ],
    [...words, `--resume=${path}`],
    program,
  );
}

/**
 * A line or two for each run: state, best figure, place and folder, and the command that resumes it.
 *
 * @param colour Whether states are coloured.
 */
export function runsText(paths: readonly string[], { colour }: { colour: boolean }): string {
  const lines = paths.flatMap((path) => {
    try {
      return runLines(readRun(path), colour);
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      return [error.message];
    }
  });
  return lines.map((line) => `${line}\n`).join("");
}

function runLines(run: RunRecord, colour: boolean): string[] {
  const { state, path } = run, best = bestFigure(run);
  const name = state.name.padEnd(11);
  const command = resumeCommand(run);
  const figure = best ? percent(best.top1) : "";
  const line = [
    colour ? PAINT[state.name](name) : name,
    figure.padStart(8),
    placeText(run).padEnd(24),
    printable(path),
  ];
  return [
    line.join("  "),
    ...(state.reason === undefined ? [] : [`  ${printable(state.reason)}`]),
    ...(command === undefined ? [] : [`  ${printable(command)}`]),
  ];
}

/** Text from a run's files without what a terminal would obey. */
function printable(words: string): string {
  // deno-lint-ignore no-control-regex
  return oneLine(words).replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}
