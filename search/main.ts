/** `deno task search`: see `search_main.ts`, which this connects with the machine. */

import { startBackend } from "../backends/mod.ts";
import { loadDataset } from "../datasets/mod.ts";
import { standardOutput } from "../nn/progress.ts";
import { type MainProgram, runMain } from "../nn/run_main.ts";
import { searchMain } from "./search_main.ts";

const program: MainProgram = {
  command: "deno task search",
  run: "deno run -q -P=search",
  script: "search/main.ts",
  folders: { read: [".", "/tmp"], write: ["runs", ".cache", "/tmp"] },
};

/** Keeps data that was fetched; beside deno.json wherever the program is started. */
const cacheDir = `${import.meta.dirname}/../.cache`;

await runMain(program, (args) =>
  searchMain(args, {
    program,
    output: standardOutput(),
    startBackend,
    loadData: (which) => loadDataset({ ...which, cacheDir }),
  }));
