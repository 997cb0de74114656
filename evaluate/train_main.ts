/** `deno task eval train`: from the command line to the test's accuracy in the terminal. */

import { BatchSources } from "../datasets/batch_sources.ts";
import type { ImageDataset } from "../datasets/types.ts";
import { parseCommandLine } from "../nn/command_line.ts";
import { memoryAdvice } from "../nn/memory_advice.ts";
import type { Outcome } from "../nn/run_main.ts";
import {
  type ProgramEnvironment,
  type Run,
  type RunKind,
  type RunParts,
  runProgram,
} from "../nn/run_program.ts";
import { architectureAccesses } from "./architecture.ts";
import type { TrainingConfig } from "./config.ts";
import { checkTrainingConfig } from "./config_checks.ts";
import { dryTraining } from "./dry_training.ts";
import { configOf, TRAIN_COMMAND, TRAINING_OPTIONS } from "./options.ts";
import { Training } from "./training.ts";
import { trainingLoaders } from "./training_data.ts";
import { TrainingProgress } from "./training_progress.ts";
import { writeSummary } from "./training_summary.ts";

/** What the evaluation takes from outside. */
export type EvaluationEnvironment = ProgramEnvironment<ImageDataset>;

const TRAINING: RunKind<TrainingConfig, ImageDataset> = {
  kind: "eval",
  words: ["train"],
  options: TRAINING_OPTIONS,
  accesses: ({ arch }) => architectureAccesses(arch),
  configOf,
  checkData: (config, { train, test }) =>
    checkTrainingConfig(config, { train: train.count, test: test.count }),
  begin: beginTraining,
};

/**
 * Runs the program.
 *
 * @throws {UsageError} for a command line that cannot be understood
 * @throws {Error} with one sentence for the user, for everything else that ends the run early
 */
export async function trainMain(
  args: readonly string[],
  environment: EvaluationEnvironment,
): Promise<Outcome> {
  const parsed = parseCommandLine(TRAIN_COMMAND, args);
  if ("help" in parsed) {
    environment.output.write(parsed.help);
    return "done";
  }
  return (await runProgram(TRAINING, { given: parsed.values }, environment)).outcome;
}

function beginTraining(parts: RunParts<TrainingConfig, ImageDataset>): Run {
  const { config, options, data, backend, folder, checkpoint, line, interrupted } = parts;
  const classes = data.classes.length;
  const settings = { ...config, classes, memory: options.memory };
  const { training, test } = trainingLoaders(new BatchSources(data), config);
  const batches = { train: training.batchesPerEpoch, test: test.batchesPerEpoch };
  const progress = new TrainingProgress(config, { batches, line });
  const run = new Training({
    config,
    settings,
    data,
    folder,
    progress,
    reportEvery: options.reportEvery,
    checkpointMinutes: options.checkpointMinutes,
    interrupted,
    compileAhead: backend.compileAhead &&
      ((body) => backend.compileAhead!(body, (...done) => progress.compiling(...done))),
    memory: () => backend.memory(),
    createRecorder: backend.createRecorder,
  }, checkpoint);
  return {
    async run() {
      const state = await run.run();
      return state && writeSummary(state, { folder, config, classes, note: options.note });
    },
    advice: (error) =>
      memoryAdvice(error, {
        batch: config.batch,
        backend,
        mode: options.memory,
        takeSteps: (size, memory) =>
          dryTraining({ ...settings, memory }, {
            size,
            side: training.imageSize,
            recorder: backend.createRecorder?.(),
          }),
      }),
  };
}
