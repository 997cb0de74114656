/** `deno task eval`: not part of this version; says so and ends with code 1. */

import { type MainProgram, runMain } from "../nn/run_main.ts";
import { RunError } from "../nn/run_files.ts";

const program: MainProgram = {
  command: "deno task eval",
  run: "deno run -q -P=eval",
  script: "evaluate/main.ts",
  folders: { read: [".", "/tmp"], write: ["runs", ".cache", "/tmp"] },
};

await runMain(program, () => {
  throw new RunError(
    "Cannot train or test a network: eval is not part of this version yet, only " +
      "deno task search is",
  );
});
