/** The whole evaluation program on the tests' few real images: what tests start, kill and resume. */

import { startBackend } from "../../backends/mod.ts";
import { evalMain } from "../../evaluate/eval_main.ts";
import { standardOutput } from "../../nn/progress.ts";
import { runMain } from "../../nn/run_main.ts";
import { loadTiny, TINY_EVALUATION } from "./program.ts";

await runMain(TINY_EVALUATION, (args) =>
  evalMain(args, {
    program: TINY_EVALUATION,
    output: standardOutput(),
    startBackend,
    loadData: loadTiny,
  }));
