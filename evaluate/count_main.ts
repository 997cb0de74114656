/** `deno task eval count`: parameters and multiply-adds of a genotype's network, part by part. */

import { choice, type CommandSpec, integer, parseCommandLine } from "../nn/command_line.ts";
import { optionGroup } from "../nn/config_options.ts";
import { countCifarNetwork, countImageNetNetwork } from "../nn/count.ts";
import { formatCounts } from "../nn/count_table.ts";
import { type Outcome, requestAccess } from "../nn/run_main.ts";
import { architectureAccesses, genotypeOf } from "./architecture.ts";
import { ARCHITECTURE_ROWS } from "./options.ts";
import type { EvaluationEnvironment } from "./train_main.ts";

const NETWORKS = { cifar: countCifarNetwork, imagenet: countImageNetNetwork } as const;
type NetworkName = keyof typeof NETWORKS;

const COUNT_COMMAND: CommandSpec = {
  command: "deno task eval count",
  summary: "Counts the parameters and multiply-adds of a genotype's network, part by part.",
  options: optionGroup("Network:", [
    ...ARCHITECTURE_ROWS,
    ["network", "", choice(Object.keys(NETWORKS) as NetworkName[]), "which network", {
      hint: "(default: cifar)",
    }],
    ["layers", "", integer({ min: 3 }), "cells", { hint: "(default: 20; imagenet: 14)" }],
    ["channels", "", integer({ min: 2, even: true }), "initial channels", {
      hint: "(default: 36; imagenet: 48)",
    }],
    ["classes", "", integer({ min: 1 }), "classes", { hint: "(default: 10; imagenet: 1000)" }],
  ]),
};

/** Runs the program. */
export function countMain(
  args: readonly string[],
  { program, output }: Pick<EvaluationEnvironment, "program" | "output">,
): Outcome {
  const parsed = parseCommandLine(COUNT_COMMAND, args);
  if ("help" in parsed) {
    output.write(parsed.help);
    return "done";
  }
  const { arch: source = "PDARTS", skips = null, network = "cifar", ...sizes } = parsed.values as {
    arch?: string;
    skips?: number;
    network?: NetworkName;
    layers?: number;
    channels?: number;
    classes?: number;
  };
  requestAccess(architectureAccesses(source), program);
  const genotype = genotypeOf({ source, skips });
  output.write(`${source}\n\n${formatCounts(NETWORKS[network](genotype, sizes))}\n`);
  return "done";
}
