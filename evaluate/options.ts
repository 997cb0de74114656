/** The command line of `deno task eval train`, and the config that it asks for. */

import { choice, type CommandSpec, decimal, integer, onOff, text } from "../nn/command_line.ts";
import { UsageError } from "../nn/command_line.ts";
import {
  BATCH_NORM_ROWS,
  type ConfigOption,
  datasetRow,
  type GivenOptions,
  IMAGE_OPTIONS,
  inOptions,
  NETWORK_ROW,
  optionGroup,
  type OptionRow,
  sgdOptions,
  withDefaults,
  withOptions,
} from "../nn/config_options.ts";
import { checkFolderOptions, FOLDER_OPTIONS } from "../nn/folder_options.ts";
import { folderOptions, optionsOfRun } from "../nn/run_options.ts";
import { SCHEDULES } from "../nn/schedules.ts";
import { genotypeOf } from "./architecture.ts";
import { EVALUATION_DATASETS, PRESETS, type TrainingConfig, trainingConfig } from "./config.ts";
import { checkTrainingConfig } from "./config_checks.ts";

const RATE = decimal({ min: 0, max: 1, below: true });

/** Rows of what names a genotype. */
export const ARCHITECTURE_ROWS: readonly OptionRow[] = [
  ["arch", "architecture.source", text("NAME|FILE|RUN"), "a genotype's name or file, or a search"],
  [
    "skips",
    "architecture.skips",
    integer({ min: 0, max: 8 }),
    "skips of a search's genotype",
    { unset: "as the search chose" },
  ],
];

/** The options of the config, in the order of the help. */
export const TRAINING_OPTIONS: readonly ConfigOption[] = [
  ...optionGroup("Training:", [
    ...ARCHITECTURE_ROWS,
    datasetRow(EVALUATION_DATASETS),
    ["seed", "seed", integer({ min: 0 }), "seed of every random number"],
    ["epochs", "epochs", integer({ min: 1 }), "epochs"],
    ["batch", "batch", integer({ min: 1 }), "images per step"],
    ["train-images", "trainImages", integer({ min: 1 }), "training images to use", {
      unset: "all",
    }],
    ["test-images", "testImages", integer({ min: 1 }), "test images to use", { unset: "all" }],
    ["test-every", "testEvery", integer({ min: 1 }), "epochs from one test to the next"],
    ["label-smoothing", "labelSmoothing", RATE, "share of a label given to all classes"],
    ["init", "init", text("FILE|RUN"), "weights to start from, where their shapes fit", {
      unset: "fresh ones",
    }],
  ]),
  ...optionGroup("Network:", [
    NETWORK_ROW,
    ["layers", "layers", integer({ min: 3 }), "cells"],
    ["channels", "channels", integer({ min: 2, even: true }), "initial channels"],
    ["auxiliary", "auxiliary.enabled", onOff(), "the auxiliary head"],
    ["auxiliary-weight", "auxiliary.weight", decimal({ min: 0 }), "weight of its loss"],
    ["drop-path", "dropPath", RATE, "rate of drop path that the epochs go towards"],
    ...BATCH_NORM_ROWS,
  ]),
  ...sgdOptions("optimizer"),
  ...optionGroup("Weights (SGD):", [
    ["schedule", "schedule", choice(SCHEDULES), "how the learning rate falls"],
    ["warmup-epochs", "warmupEpochs", integer({ min: 0 }), "first epochs, in which it rises"],
  ]),
  ...IMAGE_OPTIONS,
];

/** All options that reach the result. */
export const ALL_TRAINING_OPTIONS: readonly ConfigOption[] = [
  ...TRAINING_OPTIONS,
  ...FOLDER_OPTIONS,
];

/** Configs whose numbers the help shows, by what it calls them. */
const SHOWN: readonly [name: string, config: TrainingConfig][] = [
  ["default", trainingConfig("paper")],
  ["quick", trainingConfig("quick")],
  ["imagenet", trainingConfig("paper", "imagenet")],
];

/** The command line of the training. */
export const TRAIN_COMMAND: CommandSpec = {
  command: "deno task eval train",
  summary: "Trains the network of a genotype on CIFAR, ImageNet or your own images. The defaults " +
    "are the paper's; --preset=quick ends within minutes on two cores.",
  options: [
    {
      name: "preset",
      type: choice(PRESETS),
      help: "where the defaults come from",
      hint: `(default: ${PRESETS[0]})`,
      group: "Run:",
    },
    ...folderOptions("eval"),
    ...optionsOfRun(),
    ...withDefaults(TRAINING_OPTIONS, SHOWN),
    ...withDefaults(FOLDER_OPTIONS, [
      ["default", trainingConfig("paper", "imagenet")],
      ["quick", trainingConfig("quick", "imagenet")],
    ]),
  ],
  epilogue: [
    "On imagenet and imagefolder, --preset=authors has a batch of 256 and a learning",
    "rate of 0.1, and --preset=quick 6 cells, a batch of 32, no auxiliary head and",
    "images of 64 pixels.",
    "Paths are relative to the project's folder.",
    "Ctrl-C and SIGTERM finish the step and save.",
  ].join("\n"),
};

/**
 * The config of a new training; reads the genotype's file, where it is one.
 *
 * @throws {UsageError} when the options do not fit together
 * @throws {RunError} when there is no such genotype
 */
export function configOf(given: GivenOptions): TrainingConfig {
  const { preset, dataset } = given as { preset?: string; dataset?: string };
  const begun = trainingConfig(preset, dataset);
  checkFolderOptions(given, begun.dataset);
  const config = withOptions(begun, given, ALL_TRAINING_OPTIONS);
  try {
    checkTrainingConfig(config);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(inOptions(error.message, ALL_TRAINING_OPTIONS));
  }
  return { ...config, genotype: genotypeOf(config.architecture) };
}
