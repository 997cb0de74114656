/** The whole search program on the tests' few real images: what tests start, kill and resume. */

import { startBackend } from "../../backends/mod.ts";
import { standardOutput } from "../../nn/progress.ts";
import { type MainProgram, runMain } from "../../nn/run_main.ts";
import { trainMain } from "../../evaluate/train_main.ts";
import { watch } from "../../report/watch.ts";
import { loadTiny, TINY_EVALUATION } from "../evaluate/program.ts";
import { searchMain } from "../../search/search_main.ts";

const program: MainProgram = {
  command: "tiny-search",
  run: "deno run -q --allow-env=CI",
  script: "tests/search/tiny_search.ts",
  folders: { read: [".", "/tmp"], write: [".cache", "/tmp"] },
};

const environment = {
  output: standardOutput(),
  watch,
  startBackend,
  loadData: loadTiny,
};

await runMain(program, (args) =>
  searchMain(args, {
    ...environment,
    program,
    train: (args) => trainMain(args, { ...environment, program: TINY_EVALUATION }),
  }));
