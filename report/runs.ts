/** `deno task runs`: lists runs with their state, best figure, and the command that resumes each. */

import { parseCommandLine } from "../nn/command_line.ts";
import { standardOutput } from "../nn/progress.ts";
import { requestAccess, runMain } from "../nn/run_main.ts";
import { findRuns, runsText } from "./list_runs.ts";
import { RUNS_PROGRAM } from "./program.ts";

const COMMAND = {
  command: RUNS_PROGRAM.command,
  summary:
    "Lists runs: how each stands (running, finished, interrupted, failed, died), its top-1 " +
    "accuracy (a search's last validation, a training's best test), and how to resume it.",
  words: { name: "folder", help: "folders of runs, or with runs below them (default: runs)" },
  options: [],
};

/** The folder that runs are made in, if there is one yet. */
function defaultFolders(): string[] {
  return [...Deno.readDirSync(".")].some(({ name }) => name === "runs") ? ["runs"] : [];
}

await runMain(RUNS_PROGRAM, (args) => {
  const parsed = parseCommandLine(COMMAND, args), output = standardOutput();
  if ("help" in parsed) {
    output.write(parsed.help);
    return Promise.resolve("done");
  }
  const folders = parsed.words.length > 0 ? parsed.words : defaultFolders();
  requestAccess(folders.map((path) => ({ option: "folder", path, kinds: ["read"] })), RUNS_PROGRAM);
  const colour = output.terminal && !Deno.noColor;
  output.write(runsText(folders.flatMap((path) => findRuns(path)), { colour }) || "No runs.\n");
  return Promise.resolve("done");
});
