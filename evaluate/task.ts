/** How `deno task eval` is started, for messages that tell a person what to type. */

import type { MainProgram } from "../nn/run_main.ts";

/** The task, as `deno.json` has it. */
export const EVAL_TASK: MainProgram = {
  command: "deno task eval",
  run: "deno run -q -P=eval",
  script: "evaluate/main.ts",
  folders: { read: [".", "/tmp"], write: ["runs", ".cache", "/tmp"] },
  files: ["/usr/bin/ldd"],
};
