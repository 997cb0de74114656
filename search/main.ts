/**
 * `deno task search`: connects `search_main.ts` with the machine, and with the evaluation, which trains
 * what was found on the same backend and data.
 */

import { startBackend, type StartedBackend } from "../backends/mod.ts";
import { openDataset } from "../datasets/open_dataset.ts";
import type { Dataset } from "../datasets/types.ts";
import { EVAL_TASK } from "../evaluate/task.ts";
import { trainMain } from "../evaluate/train_main.ts";
import { standardOutput } from "../nn/progress.ts";
import { runMain } from "../nn/run_main.ts";
import { watch } from "../report/watch.ts";
import { searchMain } from "./search_main.ts";
import { SEARCH_TASK } from "./task.ts";

/** Keeps data that was fetched; beside deno.json wherever the program is started. */
const cacheDir = `${import.meta.dirname}/../.cache`;

let started: Promise<StartedBackend> | undefined, data: Promise<Dataset> | undefined;

const shared: Omit<Parameters<typeof trainMain>[1], "program"> = {
  output: standardOutput(),
  watch,
  startBackend: (name, options) => started ??= startBackend(name, options),
  loadData: (which) => data ??= openDataset({ ...which, cacheDir }),
};

await runMain(SEARCH_TASK, (args) =>
  searchMain(args, {
    ...shared,
    program: SEARCH_TASK,
    train: (args) => trainMain(args, { ...shared, program: EVAL_TASK }),
  }));
