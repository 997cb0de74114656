/** The options that name trained weights and, where those do not tell, their genotype. */

import { text } from "../nn/command_line.ts";
import { type GivenOptions, type OptionRow, withHint } from "../nn/config_options.ts";
import type { ArchitectureConfig } from "./config.ts";
import { ARCHITECTURE_ROWS } from "./options.ts";

/** Rows of the options. */
export const MODEL_ROWS: readonly OptionRow[] = [
  ["model", "", text("FILE|RUN"), "a file of weights, or a training's run folder", { hint: "" }],
  ...ARCHITECTURE_ROWS.map((row) =>
    withHint(
      row,
      row[0] === "arch" ? "(default: as the file says)" : "(default: the search's choice)",
    )
  ),
];

/** The genotype's place, where it is given. */
export function architectureOf({ arch, skips }: GivenOptions): ArchitectureConfig | undefined {
  if (arch === undefined) return undefined;
  return { source: arch as string, skips: skips as number ?? null };
}
