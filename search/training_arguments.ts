/**
 * What `deno task eval train` is told to train what a search found: in a folder within the search's, with
 * its data, seed, backend and, where there is one, the preset of its name.
 */

import { NETWORK_ROW, optionGroup, optionText, valueAt } from "../nn/config_options.ts";
import { FOLDER_OPTIONS } from "../nn/folder_options.ts";
import { isThere } from "../nn/run_files.ts";
import { RUN_OPTIONS } from "../nn/run_options.ts";
import type { EndedRun } from "../nn/run_program.ts";
import type { SearchConfig } from "./config.ts";

const [NETWORK] = optionGroup("", [NETWORK_ROW]);

/** The arguments; those that continue the training where one was begun. */
export function trainingArguments(
  { path, config, options }: Pick<EndedRun<SearchConfig>, "path" | "config" | "options">,
): string[] {
  const folder = `${path}/eval`;
  const given = RUN_OPTIONS.flatMap((option) => {
    const value = valueAt(options, option.key);
    return value === undefined || value === ""
      ? []
      : [`--${option.name}=${optionText(option, value)}`];
  });
  if (isThere(`${folder}/config.json`)) return [`--resume=${folder}`, ...given];
  return [
    `--arch=${path}`,
    `--save=${folder}`,
    `--preset=${config.preset === "quick" ? "quick" : "paper"}`,
    `--dataset=${config.dataset}`,
    `--seed=${config.seed}`,
    ...config.folder ? ofFolder(config) : [],
    ...given,
  ];
}

/** The same images of a folder, for the same kind of network. */
function ofFolder(config: SearchConfig): string[] {
  return [NETWORK, ...FOLDER_OPTIONS].flatMap((option) => {
    const value = valueAt(config, option.key);
    return value === null ? [] : [`--${option.name}=${optionText(option, value)}`];
  });
}
