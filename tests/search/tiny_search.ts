/** The whole search program on the tests' few real images: what tests start, kill and resume. */

import { startBackend } from "../../backends/mod.ts";
import { standardOutput } from "../../nn/progress.ts";
import { type MainProgram, runMain } from "../../nn/run_main.ts";
import { searchMain } from "../../search/search_main.ts";
import { loadSample } from "../datasets/sample.ts";

const program: MainProgram = {
  command: "tiny-search",
  run: "deno run -q --allow-env=CI",
  script: "tests/search/tiny_search.ts",
  folders: { read: [".", "/tmp"], write: [".cache", "/tmp"] },
};

await runMain(program, (args) =>
  searchMain(args, {
    program,
    output: standardOutput(),
    startBackend,
    loadData: () => Promise.resolve(loadSample()),
  }));
