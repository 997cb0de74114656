/** How the programs of this folder are started, for messages that tell a person what to type. */

import type { MainProgram } from "../nn/run_main.ts";

const folders: MainProgram["folders"] = {
  read: [".", "/tmp"],
  write: ["runs", ".cache", "/tmp"],
};

/** `deno task report`, as `deno.json` has it. */
export const REPORT_PROGRAM: MainProgram = {
  command: "deno task report",
  run: "deno run -q -P=report",
  script: "report/main.ts",
  folders,
};

/** `deno task runs`. */
export const RUNS_PROGRAM: MainProgram = {
  command: "deno task runs",
  run: "deno run -q -P=report",
  script: "report/runs.ts",
  folders,
};
