/** The checks of a backend on the device at hand, in the order in which they are worth their time. */

import { type Ended, outputOf, runProgram } from "./child.ts";
import {
  benchOutcome,
  failureOf,
  type Outcome,
  sanitizerOutcome,
  type SearchFiles,
  searchOutcome,
  testOutcome,
  withoutTimes,
} from "./outcomes.ts";
import type { Probe } from "./probe.ts";

/** The backends that run on a GPU. */
export const CHECKED_BACKENDS = ["cudnn", "webgpu"] as const;
/** Name of such a backend. */
export type CheckedBackend = typeof CHECKED_BACKENDS[number];

/** What is checked, in this order. */
export const CHECK_NAMES = [
  "ops",
  "fixtures",
  "training",
  "search",
  "steps",
  "kernels",
  "sanitizer",
] as const;
/** Name of a check. */
export type CheckName = typeof CHECK_NAMES[number];

/** Where and how long a check may run. */
export interface CheckContext {
  backend: CheckedBackend;
  probe: Probe;
  /** The longest that a program which is started now may take. */
  seconds: () => number;
  /** Folder for logs and runs. */
  folder: string;
}

/** The search's first supernet at the authors' batch; a small one where the CPU computes. */
const SHAPE = ["--batch=96", "--layers=5", "--channels=16"];
/** The supernets of all stages, with the channels that the authors' CIFAR-10 search has in each. */
const STAGES = [
  SHAPE,
  ["--batch=96", "--layers=11", "--channels=16", "--kept=5"],
  ["--batch=96", "--layers=17", "--channels=16", "--kept=3"],
];
/** The paper's training of what the search finds. */
const EVALUATION = ["--what=evaluation", "--batch=128", "--layers=20", "--channels=36"];
const SMALL_SHAPE = ["--batch=2", "--layers=3", "--channels=4", "--steps=1"];

/**
 * Three stages of one epoch, whose alphas move far at each step, so that none is dropped by a near-tie,
 * where rounding decides; convolutions in float32, as the CPU's are.
 */
const SEARCH = [
  ...["--epochs=1", "--alpha-from-epoch=0", "--validation-epochs=1", "--layers=3,3,3"],
  ...["--channels=4", "--batch=16", "--train-images=32", "--learning-rate=0.005"],
  ...["--alpha-learning-rate=0.1", "--seed=4", "--report-every=1", "--checkpoint-minutes=0"],
  "--precision=fp32",
];

/**
 * What sanitizers look for: accesses outside of memory, of which those stay unseen that end in another
 * block of the backend's pool, and threads that disturb each other.
 */
const SANITIZERS = ["memcheck", "racecheck"];

/** How each check is made. */
export const CHECKS: Record<CheckName, (context: CheckContext) => Promise<Outcome>> = {
  ops: (context) => {
    const own = context.backend === "webgpu" ? ["tests/backends/webgpu"] : [];
    return runTests(context, "ops", ["tests/backends/ops", ...own]);
  },
  fixtures: (context) => runTests(context, "fixtures", ["tests/parity"]),
  training: (context) =>
    runTests(context, "training", [
      "tests/search/stage_trainer_devices_test.ts",
      "tests/search/recorded_stage_test.ts",
    ]),
  search: compareSearches,
  steps: benchNetworks,
  kernels: (context) => bench(context, "kernels", { shape: SHAPE, title: "kernels" }),
  sanitizer: sanitize,
};

function deno(
  { backend, seconds, folder }: CheckContext,
  { name, args }: { name: string; args: string[] },
): Promise<Ended> {
  const command = [Deno.execPath(), ...args];
  const log = `${folder}/${backend}_${name}.log`;
  return runProgram({ command, seconds: seconds(), log });
}

/** Runs the tests that are for the backend's own device. */
async function runTests(context: CheckContext, name: string, files: string[]): Promise<Outcome> {
  // WebGPU is tested with several limits, and cudnn with bf16 too, each a device of its own.
  const filter = context.backend === "webgpu" ? "[webgpu" : "/\\[cudnn(, bf16)?\\]/";
  const args = ["test", "-q", "-P=test", "--no-check", `--filter=${filter}`, ...files];
  return testOutcome(await deno(context, { name, args }));
}

/** Runs one search on the CPU backend and on this one. */
async function compareSearches(context: CheckContext): Promise<Outcome> {
  const expected = await search(context, "cpu");
  if ("reason" in expected) return expected;
  const actual = await search(context, context.backend);
  return "reason" in actual ? actual : searchOutcome(actual, expected);
}

/** Runs the search on a backend. @returns its files, or why there are none */
async function search(
  context: CheckContext,
  backend: string,
): Promise<SearchFiles | { status: "failed"; reason: string }> {
  const save = `${context.folder}/${context.backend}_search_on_${backend}`;
  const program = ["-q", "-P=search", "--no-check", "tests/search/tiny_search.ts"];
  const args = ["run", ...program, `--backend=${backend}`, ...SEARCH, `--save=${save}`];
  const ended = await deno(context, { name: `search_on_${backend}`, args });
  const reason = failureOf(ended);
  if (reason !== undefined) return { status: "failed", reason: `on ${backend}, ${reason}` };
  return {
    genotypes: await Deno.readTextFile(`${save}/genotypes.json`),
    log: await Deno.readTextFile(`${save}/log.jsonl`),
  };
}

/** Runs steps of a small supernet under each of NVIDIA's sanitizers. */
async function sanitize(context: CheckContext): Promise<Outcome> {
  const { backend, probe, seconds, folder } = context;
  if (backend !== "cudnn") return { status: "left out", reason: "it is for CUDA" };
  if (probe.kind !== "gpu") return { status: "left out", reason: "there is no card" };
  if (await outputOf("compute-sanitizer", "--version") === undefined) {
    return { status: "left out", reason: "there is no compute-sanitizer on the path" };
  }
  for (const tool of SANITIZERS) {
    const options = ["--tool", tool, "--error-exitcode", "99"];
    const steps = [...benchCommand(backend, "steps"), ...SMALL_SHAPE, "--no-peer"];
    const command = ["compute-sanitizer", ...options, ...steps];
    const outcome = sanitizerOutcome(
      await runProgram({ command, seconds: seconds(), log: `${folder}/${tool}.log` }),
    );
    if (outcome.status === "failed") return { ...outcome, reason: `${tool}: ${outcome.reason}` };
  }
  return { status: "passed", result: { tools: SANITIZERS } };
}

function benchCommand(backend: CheckedBackend, name: string): string[] {
  // The peer is python3, which is found by its name alone.
  const permissions = ["-P=bench", ...(name === "steps" ? ["--allow-run"] : [])];
  const file = `bench/device/${name}.ts`;
  return [Deno.execPath(), "run", "-q", ...permissions, "--no-check", file, `--backend=${backend}`];
}

/** Times the steps of every stage and of the evaluation network on a card; elsewhere of small networks. */
async function benchNetworks(context: CheckContext): Promise<Outcome> {
  const onCard = context.probe.kind === "gpu", results: unknown[] = [];
  const stages = (onCard ? STAGES : [SHAPE])
    .map((shape, stage): [string, string[]] => [`stage ${stage + 1}`, shape]);
  for (const [name, shape] of [...stages, ["evaluation", EVALUATION] as [string, string[]]]) {
    const title = `steps_of_${name.replace(" ", "_")}`;
    const outcome = await bench(context, "steps", { shape, title });
    if (outcome.status === "failed") {
      return { ...outcome, reason: `${name}: ${outcome.reason}`, result: results };
    }
    results.push(outcome.result);
  }
  return { status: "passed", result: results };
}

async function bench(
  context: CheckContext,
  name: "steps" | "kernels",
  { shape, title }: { shape: string[]; title: string },
): Promise<Outcome> {
  const { backend, probe, seconds, folder } = context, onCard = probe.kind === "gpu";
  const small = [...SMALL_SHAPE, ...(name === "steps" ? ["--no-peer"] : [])];
  // Where an option is given twice, the last counts.
  const command = [...benchCommand(backend, name), ...shape, ...(onCard ? [] : small)];
  const log = `${folder}/${backend}_${title}.log`;
  const outcome = benchOutcome(await runProgram({ command, seconds: seconds(), log }));
  return onCard ? outcome : { ...outcome, result: withoutTimes(outcome.result) };
}
