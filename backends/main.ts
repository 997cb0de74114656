/** `deno task backends`: prints every backend, what it runs on here, or why it cannot start. */

import { parseCommandLine } from "../nn/command_line.ts";
import { standardOutput } from "../nn/progress.ts";
import { runMain } from "../nn/run_main.ts";
import { backendsText, listBackends } from "./list.ts";

const COMMAND = {
  command: "deno task backends",
  summary: "Lists the backends, what they run on here, or why they cannot start.",
  options: [],
};

const program = {
  command: COMMAND.command,
  run: "deno run -q -P=backends",
  script: "backends/main.ts",
  folders: { read: ["."], write: [".cache"] },
};

await runMain(program, async (args) => {
  const parsed = parseCommandLine(COMMAND, args);
  standardOutput().write("help" in parsed ? parsed.help : backendsText(await listBackends()));
  return "done";
});
