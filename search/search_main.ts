/**
 * The program behind `deno task search`, from the command line to the genotype in the terminal, and on to
 * training what was found where that is asked for.
 */

import { searchParts } from "../datasets/loader.ts";
import { RunImages } from "../datasets/run_images.ts";
import type { Dataset } from "../datasets/types.ts";
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
import { completeConfig, fitted, type SearchConfig } from "./config.ts";
import { checkSearchConfig } from "./config_checks.ts";
import { drySteps } from "./dry_steps.ts";
import { configOf, noteOn, SEARCH_COMMAND } from "./options.ts";
import { writeSummary } from "./run_summary.ts";
import { Search } from "./search.ts";
import { stageLoaders } from "./search_data.ts";
import { ALL_SEARCH_OPTIONS } from "./search_options.ts";
import { SearchProgress } from "./search_progress.ts";
import { trainingArguments } from "./training_arguments.ts";

/** What the program takes from outside. */
export interface SearchEnvironment extends ProgramEnvironment<Dataset> {
  /** What `deno task eval train` does with these arguments, for `--train=on`. */
  readonly train: (args: readonly string[]) => Promise<Outcome>;
}

const SEARCH: RunKind<SearchConfig, Dataset> = {
  kind: "search",
  words: [],
  options: ALL_SEARCH_OPTIONS,
  configOf,
  complete: completeConfig,
  fit: (config, data, given) => fitted(config, { given, images: imagesOfPart(config, data) }),
  noteOn,
  checkData: (config, data) => checkSearchConfig(config, { images: imagesOfPart(config, data) }),
  begin: beginSearch,
};

/** Images of the smaller of the two parts of the training set. */
function imagesOfPart({ trainShare }: SearchConfig, { train }: Dataset): number {
  const { weights, alphas } = searchParts(train.count, { share: trainShare });
  return Math.min(weights.end - weights.first, alphas.end - alphas.first);
}

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

function beginSearch(parts: RunParts<SearchConfig, Dataset>): Run {
  const { config, options, data, backend, folder, checkpoint, line, interrupted } = parts;
  const { workers, maxUnreadable } = options, { path } = folder;
  const images = new RunImages({ data, config, workers, maxUnreadable, path });
  const { weights, validation } = stageLoaders(images.sources, config, 0);
  const batches = { train: weights.batchesPerEpoch, validate: validation.batchesPerEpoch };
  const progress = new SearchProgress({ config, batches, line });
  const search = new Search({
    config,
    images,
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
      const { network, maxSkips } = config, { unreadable } = images, { note } = options;
      const classes = data.classes.length;
      return await writeSummary(result, { folder, network, classes, maxSkips, unreadable, note });
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
