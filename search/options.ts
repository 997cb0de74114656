/**
 * The command line of `deno task search`, and the config that it asks for.
 *
 * Invariant: the defaults in the help are read from the presets.
 */

import { choice, type CommandSpec, onOff, UsageError } from "../nn/command_line.ts";
import { type GivenOptions, inOptions, withDefaults, withOptions } from "../nn/config_options.ts";
import { checkFolderOptions, FOLDER_OPTIONS } from "../nn/folder_options.ts";
import { folderOptions, optionsOfRun } from "../nn/run_options.ts";
import { PRESETS, type SearchConfig, searchConfig } from "./config.ts";
import { checkSearchConfig } from "./config_checks.ts";
import { ALL_SEARCH_OPTIONS, SEARCH_OPTIONS } from "./search_options.ts";

/** The command line of the search. */
export const SEARCH_COMMAND: CommandSpec = {
  command: "deno task search",
  summary: "Searches a cell for image classification, progressively (P-DARTS). The defaults are " +
    "the authors' command; --preset=quick ends within minutes on two cores.",
  options: [
    {
      name: "preset",
      type: choice(PRESETS),
      help: "where the defaults come from",
      hint: `(default: ${PRESETS[0]})`,
      group: "Run:",
    },
    {
      name: "train",
      type: onOff(),
      help: "train what was found, as deno task eval train does",
      hint: "(default: off)",
      group: "Run:",
    },
    ...folderOptions("search"),
    ...optionsOfRun(),
    ...withDefaults(SEARCH_OPTIONS, [
      ...PRESETS.map((preset) => [preset, searchConfig(preset)] as const),
      ["imagenet", searchConfig("authors", { dataset: "imagenet" })],
    ]),
    ...withDefaults(FOLDER_OPTIONS, [
      ["default", searchConfig("authors", { dataset: "imagenet" })],
      ["quick", searchConfig("quick", { dataset: "imagenet" })],
    ]),
  ],
  epilogue:
    "Paths are relative to the project's folder.\nCtrl-C and SIGTERM finish the step and save.",
};

/**
 * The config of a new run.
 *
 * @throws {UsageError} when the options do not fit together
 */
export function configOf(given: GivenOptions): SearchConfig {
  const dataset = given.dataset as SearchConfig["dataset"] | undefined;
  const preset = searchConfig(given.preset as string | undefined, { dataset });
  checkFolderOptions(given, preset.dataset);
  const config = withOptions(preset, given, ALL_SEARCH_OPTIONS);
  try {
    checkSearchConfig(config);
    return config;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(inOptions(error.message, ALL_SEARCH_OPTIONS));
  }
}

/** What a person may not have meant about a config that is valid; undefined where there is nothing. */
export function noteOn({ alphaFromEpoch, epochs }: SearchConfig): string | undefined {
  if (alphaFromEpoch < epochs) return undefined;
  return `Alphas are not trained: --alpha-from-epoch ${alphaFromEpoch} is not below ` +
    `--epochs ${epochs}`;
}
