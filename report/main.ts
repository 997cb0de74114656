/** `deno task report`: connects `report_main.ts` with the machine. */

import { standardOutput } from "../nn/progress.ts";
import { runMain } from "../nn/run_main.ts";
import { REPORT_PROGRAM } from "./program.ts";
import { reportMain } from "./report_main.ts";

const program = REPORT_PROGRAM;
await runMain(program, (args) => reportMain(args, { program, output: standardOutput() }));
