/** How `deno task search` is started, for messages that tell a person what to type. */

import type { MainProgram } from "../nn/run_main.ts";

/** The task, as `deno.json` has it. */
export const SEARCH_TASK: MainProgram = {
  command: "deno task search",
  run: "deno run -q -P=search",
  script: "search/main.ts",
  folders: { read: [".", "/tmp"], write: ["runs", ".cache", "/tmp"] },
  files: ["/usr/bin/ldd"],
};
