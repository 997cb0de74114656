/** The program behind `deno task eval`: which of its parts is meant. */

import { parseSubcommand, type ProgramSpec, UsageError } from "../nn/command_line.ts";
import type { Outcome } from "../nn/run_main.ts";
import { countMain } from "./count_main.ts";
import { exportMain } from "./export_main.ts";
import { testMain } from "./test_main.ts";
import { type EvaluationEnvironment, trainMain } from "./train_main.ts";

const PARTS = {
  train: { summary: "trains the network of a genotype on CIFAR", main: trainMain },
  test: { summary: "tests trained weights on the test set", main: testMain },
  count: { summary: "counts its parameters and multiply-adds", main: countMain },
  export: {
    summary: "writes weights for PyTorch, or networks as ONNX and for TensorFlow.js",
    main: exportMain,
  },
} as const;

const EVAL_PROGRAM: ProgramSpec = {
  command: "deno task eval",
  summary: "Trains and tests the networks of genotypes; each part has a --help of its own.",
  subcommands: Object.entries(PARTS).map(([name, { summary }]) => ({ name, summary })),
};

/**
 * Runs the program.
 *
 * @throws {UsageError} for a command line that cannot be understood
 * @throws {Error} with one sentence for the user, for everything else that ends it early
 */
export async function evalMain(
  args: readonly string[],
  environment: EvaluationEnvironment,
): Promise<Outcome> {
  const parsed = parseSubcommand(EVAL_PROGRAM, args);
  if ("help" in parsed) {
    environment.output.write(parsed.help);
    return "done";
  }
  try {
    return await PARTS[parsed.name as keyof typeof PARTS].main(parsed.args, environment);
  } catch (error) {
    if (error instanceof UsageError) {
      error.command = `${environment.program.command} ${parsed.name}`;
    }
    throw error;
  }
}
