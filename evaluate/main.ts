/** `deno task eval`: see `eval_main.ts`, which this connects with the machine. */

import { startBackend } from "../backends/mod.ts";
import { openDataset } from "../datasets/open_dataset.ts";
import { standardOutput } from "../nn/progress.ts";
import { runMain } from "../nn/run_main.ts";
import { watch } from "../report/watch.ts";
import { evalMain } from "./eval_main.ts";
import { EVAL_TASK } from "./task.ts";

/** Keeps data that was fetched; beside deno.json wherever the program is started. */
const cacheDir = `${import.meta.dirname}/../.cache`;

await runMain(EVAL_TASK, (args) =>
  evalMain(args, {
    program: EVAL_TASK,
    output: standardOutput(),
    watch,
    startBackend,
    loadData: (which) => openDataset({ ...which, cacheDir }),
  }));
