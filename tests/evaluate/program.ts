/** The evaluation program on the tests' few real images, as a process of its own and in the test's. */

import type { Backend } from "../../backends/contract.ts";
import { startCpuBackend } from "../../backends/cpu/start.ts";
import { openDataset } from "../../datasets/open_dataset.ts";
import type { Dataset, DatasetName } from "../../datasets/types.ts";
import { evalMain } from "../../evaluate/eval_main.ts";
import type { MainProgram } from "../../nn/run_main.ts";
import type { DataRequest } from "../../nn/run_program.ts";
import { loadSample } from "../datasets/sample.ts";

/** How `tiny_eval.ts` is started. */
export const TINY_EVALUATION: MainProgram = {
  command: "tiny-eval",
  run: "deno run -q --allow-env=CI",
  script: "tests/evaluate/tiny_eval.ts",
  folders: { read: [".", "/tmp"], write: [".cache", "/tmp"] },
};

/** A training of the smallest network: two epochs of three steps, the last of a smaller batch. */
export const TINY_TRAINING = [
  "--arch=DARTS_V2",
  "--epochs=2",
  "--layers=3",
  "--channels=2",
  "--batch=8",
  "--train-images=20",
  "--test-images=12",
  "--report-every=1",
];

/** The tests' few real images, or the folder that is asked for. */
export function loadTiny(which: DataRequest<DatasetName>): Promise<Dataset> {
  return which.folder
    ? openDataset({ ...which, cacheDir: ".cache" })
    : Promise.resolve(loadSample());
}

/** Runs the program here; resolves to its outcome and its output. The backend is closed at its end. */
export async function evaluateHere(
  args: readonly string[],
  { memoryLimit }: { memoryLimit?: number } = {},
): Promise<{ outcome: string; output: string }> {
  let backend: Backend | undefined, output = "";
  try {
    const outcome = await evalMain(args, {
      program: TINY_EVALUATION,
      output: { terminal: false, columns: () => 80, write: (text) => output += text },
      startBackend: async (_name, options) => {
        backend = await startCpuBackend({ ...options, threads: 2, memoryLimit });
        return { backend, notTaken: [] };
      },
      loadData: loadTiny,
    });
    return { outcome, output };
  } finally {
    backend?.close();
  }
}
