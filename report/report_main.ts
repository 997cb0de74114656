/** `deno task report`: from the run folders that were named to one page. */

import { parseCommandLine, text, UsageError } from "../nn/command_line.ts";
import type { ProgressOutput } from "../nn/progress.ts";
import { replaceFile } from "../nn/run_files.ts";
import { type MainProgram, type Outcome, requestAccess } from "../nn/run_main.ts";
import { reportPage } from "./page.ts";
import { readRun } from "./read_run.ts";

const COMMAND = {
  command: "deno task report",
  summary: "Writes one page on one run or several, of search and of training: its curves, " +
    "architecture weights, cells, genotypes and options. It opens in any browser, without a network.",
  words: { name: "run", help: "run folders, such as runs/search-20261124-055125" },
  options: [
    {
      name: "save",
      type: text("FILE"),
      help: "the page to write",
      hint: "(default: report.html in the folder of the first run)",
      group: "Options:",
    },
  ],
};

/**
 * Runs the program.
 *
 * @throws {UsageError} for a command line that cannot be understood
 * @throws {RunError} for a folder that holds no run, and a page that cannot be written
 */
export async function reportMain(
  args: readonly string[],
  { program, output }: { program: MainProgram; output: ProgressOutput },
): Promise<Outcome> {
  const parsed = parseCommandLine(COMMAND, args);
  if ("help" in parsed) {
    output.write(parsed.help);
    return "done";
  }
  const { words: paths } = parsed;
  if (paths.length === 0) throw new UsageError("Cannot tell which run: name its folder");
  const save = parsed.values.save as string | undefined ?? `${paths[0]}/report.html`;
  requestAccess([
    ...paths.map((path) => ({ option: "run", path, kinds: ["read"] as const })),
    { option: "--save", path: save, kinds: ["write"] },
  ], program);
  replaceFile(save, await reportPage(paths.map(readRun)));
  output.write(`${save}\n`);
  return "done";
}
