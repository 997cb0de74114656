/**
 * The program behind `deno task search`, from the command line to the genotype in the terminal, and on to
 * training what was found where that is asked for.
 */

import { searchParts } from "../datasets/loader.ts";
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
import type { SearchConfig } from "./config.ts";
import { checkSearchConfig } from "./config_checks.ts";
import { drySteps } from "./dry_steps.ts";
import { configOf, noteOn, SEARCH_COMMAND } from "./options.ts";
import { writeSummary } from "./run_summary.ts";
import { Search } from "./search.ts";
import { stageLoaders } from "./search_data.ts";
import { SEARCH_OPTIONS } from "./search_options.ts";
import { SearchProgress } from "./search_progress.ts";
import { trainingArguments } from "./training_arguments.ts";

/** What the program takes from outside. */
export interface SearchEnvironment extends ProgramEnvironment<ImageDataset> {
  /** What `deno task eval train` does with these arguments, for `--train=on`. */
  readonly train: (args: readonly string[]) => Promise<Outcome>;
}

const SEARCH: RunKind<SearchConfig, ImageDataset> = {
  kind: "search",
  words: [],
  options: SEARCH_OPTIONS,
  configOf,
  noteOn,
  checkData(config, data) {
    const { weights, alphas } = searchParts(data.train.count, { share: config.trainShare });
    const images = Math.min(weights.end - weights.first, alphas.end - alphas.first);
    checkSearchConfig(config, { images });
  },
  begin: beginSearch,
};

/**
 * Runs the program.
 *
 * @throws {UsageError} for a command line that cannot be understood
 * @throws {Error} with one sentence for the user, for everything else that ends the run early
 */
export async function searchMain(
  args: readonly string[],
  environment: SearchEnvironment,
): Promise<Outcome> {
  const parsed = parseCommandLine(SEARCH_COMMAND, args);
  if ("help" in parsed) {
    environment.output.write(parsed.help);
    return "done";
  }
  const { values: given } = parsed;
  const resumeWords = given.train ? ["--train=on"] : [];
  const ended = await runProgram(SEARCH, { given, resumeWords }, environment);
  if (ended.outcome !== "done" || !given.train) return ended.outcome;
  return await environment.train(trainingArguments(ended));
}

function beginSearch(parts: RunParts<SearchConfig, ImageDataset>): Run {
  const { config, options, data, backend, folder, checkpoint, line, interrupted } = parts;
  const { weights, validation } = stageLoaders(new BatchSources(data), config, 0);
  const batches = { train: weights.batchesPerEpoch, validate: validation.batchesPerEpoch };
  const progress = new SearchProgress({ config, batches, line });
  const search = new Search({
    config,
    data,
    folder,
    progress,
    reportEvery: options.reportEvery,
    checkpointMinutes: options.checkpointMinutes,
    interrupted,
    compileAhead: backend.compileAhead &&
      ((body) => backend.compileAhead!(body, (...done) => progress.compiling(...done))),
    memoryMode: options.memory,
    memory: () => backend.memory(),
    createRecorder: backend.createRecorder,
  }, checkpoint);
  return {
    async run() {
      const result = await search.run();
      if (!result) return undefined;
      const classes = data.classes.length, { maxSkips } = config;
      return await writeSummary(result, { folder, classes, maxSkips, note: options.note });
    },
    advice: (error) =>
      memoryAdvice(error, {
        batch: config.batch,
        backend,
        mode: options.memory,
        takeSteps(size, memory) {
          const settings = { ...search.stageSettings(), memory };
          drySteps(settings, {
            size,
            side: weights.imageSize,
            recorder: backend.createRecorder?.(),
          });
        },
      }),
  };
}
