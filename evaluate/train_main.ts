/** `deno task eval train`: from the command line to the test's accuracy in the terminal. */

import { RunImages } from "../datasets/run_images.ts";
import type { Dataset } from "../datasets/types.ts";
import { parseCommandLine } from "../nn/command_line.ts";
import { memoryAdvice } from "../nn/memory_advice.ts";
import type { Access, Outcome } from "../nn/run_main.ts";
import {
  type ProgramEnvironment,
  type Run,
  type RunKind,
  type RunParts,
  runProgram,
} from "../nn/run_program.ts";
import { architectureAccesses } from "./architecture.ts";
import { completeConfig, fitted, type TrainingConfig } from "./config.ts";
import { checkTrainingConfig } from "./config_checks.ts";
import { dryTraining } from "./dry_training.ts";
import { initialSummary, type InitialWeights, readInitialWeights } from "./initial_weights.ts";
import { ALL_TRAINING_OPTIONS, configOf, TRAIN_COMMAND } from "./options.ts";
import { Training } from "./training.ts";
import { trainingLoaders } from "./training_data.ts";
import { TrainingProgress } from "./training_progress.ts";
import type { TrainingSettings } from "./training_settings.ts";
import { writeSummary } from "./training_summary.ts";

/** What the evaluation takes from outside. */
export type EvaluationEnvironment = ProgramEnvironment<Dataset>;

const TRAINING: RunKind<TrainingConfig, Dataset, InitialWeights | undefined> = {
  kind: "eval",
  words: ["train"],
  options: ALL_TRAINING_OPTIONS,
  accesses: ({ arch, init }) => [...architectureAccesses(arch), ...initAccesses(init)],
  configOf,
  complete: completeConfig,
  fit: (config, { train, test }, given) =>
    fitted(config, { given, train: train.count, test: test.count }),
  checkData: (config, { train, test }) =>
    checkTrainingConfig(config, { train: train.count, test: test.count }),
  prepare: (config, { classes: classNames }) =>
    config.init === null
      ? Promise.resolve(undefined)
      : readInitialWeights(config.init, { settings: settingsOf(config, classNames), classNames }),
  begin: beginTraining,
};

/** Access to the weights that a training starts from. */
function initAccesses(init: unknown): Access[] {
  return typeof init === "string" ? [{ option: "--init", path: init, kinds: ["read"] }] : [];
}

/** What the network is made and trained from. */
function settingsOf(
  config: TrainingConfig,
  classNames: readonly string[],
): TrainingSettings {
  return { ...config, classes: classNames.length };
}

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

function beginTraining(
  parts: RunParts<TrainingConfig, Dataset, InitialWeights | undefined>,
): Run {
  const { config, options, data, backend, folder, checkpoint, line, interrupted } = parts;
  const { prepared: initial } = parts, { classes: classNames } = data;
  const settings = { ...settingsOf(config, classNames), memory: options.memory };
  const { workers, maxUnreadable } = options, { path } = folder;
  const images = new RunImages({ data, config, workers, maxUnreadable, path });
  const { training, test } = trainingLoaders(images.sources, config);
  if (initial) line.print(initialSummary(initial));
  const batches = { train: training.batchesPerEpoch, test: test.batchesPerEpoch };
  const progress = new TrainingProgress(config, { batches, line });
  const run = new Training({
    config,
    settings,
    images,
    classNames,
    initial,
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
      const classes = classNames.length, { unreadable } = images, { note } = options;
      return state && writeSummary(state, { folder, config, classes, unreadable, note });
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
