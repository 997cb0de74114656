/**
 * Ours against PyTorch on the supernet's training steps, in one go: `deno task bench:peers`.
 *
 * Steps alternate (ours, PyTorch, ours, ...), each waits for its results, and the order within a pair
 * swaps every time, so that whatever else the machine does falls on both alike. PyTorch runs four
 * ways: NCHW and channels last, as it comes and with a tuned malloc. Only one PyTorch process lives at
 * a time, since each keeps up to 9 GB at batch 96; every round starts all of them afresh and takes one
 * untimed step of each kind first. Our steps run in this process, whose whole peak memory counts.
 *
 * Options: --batch 96 --layers 5 --channels 16 --threads (all cores) --rounds 2 --steps 2
 * --variants nchw,channels_last,tuned_nchw,tuned_channels_last. Prints tables, and writes
 * bench/results/peers_<date>.json. Without python3 and torch it says so in one line, with exit code 1.
 */

import { parseArgs } from "deno-std/cli/parse_args.js";
import { type BenchShape, createStepRunner, runStep, type StepRunner, STEPS } from "./ours.ts";
import { compare, type Comparison, fastest, type Measurement, table } from "./report.ts";
import { type Machine, TorchServer, torchVersion, VARIANTS } from "./torch_server.ts";

const RESULTS = new URL("../results/", import.meta.url);
/** Lets the other side's idle threads stop spinning before the next step, in milliseconds. */
const PAUSE_MS = 200;

interface Options extends BenchShape {
  rounds: number;
  steps: number;
  variants: string[];
}

/** @throws {RangeError} If an option is unknown or out of range. */
export function parseOptions(args: string[]): Options {
  const unknown: string[] = [];
  const parsed = parseArgs(args, {
    string: ["batch", "layers", "channels", "threads", "rounds", "steps", "variants"],
    default: { threads: navigator.hardwareConcurrency, variants: Object.keys(VARIANTS).join() },
    unknown: (name: string) => void unknown.push(name),
  });
  if (unknown.length > 0) throw new RangeError(`Unknown option ${unknown[0]}`);
  const count = (name: string, fallback: number): number => {
    const value = Number(parsed[name] ?? fallback);
    if (Number.isInteger(value) && value > 0) return value;
    throw new RangeError(`Cannot take --${name} ${parsed[name]}: want a positive integer`);
  };
  const variants: string[] = parsed.variants.split(",");
  const wrong = variants.find((name) => !Object.hasOwn(VARIANTS, name));
  if (wrong !== undefined) {
    throw new RangeError(`Unknown variant "${wrong}": want ${Object.keys(VARIANTS).join(", ")}`);
  }
  return {
    batch: count("batch", 96),
    layers: count("layers", 5),
    channels: count("channels", 16),
    threads: count("threads", 1),
    rounds: count("rounds", 2),
    steps: count("steps", 2),
    variants,
  };
}

const emptyMeasurement = (): Measurement => ({ samples: { weight: [], alpha: [] }, peakBytes: 0 });

/** The samples of a variant, and ours taken in between. */
interface Pair {
  torch: Measurement;
  ours: Measurement;
}

/** One round of one variant: a fresh process, one warm step of each kind, then alternating steps. */
async function measure(
  pair: Pair,
  { name, options, ours }: { name: string; options: Options; ours: StepRunner },
): Promise<Machine> {
  const { rounds: _, steps, variants: __, ...shape } = options;
  const torch = await TorchServer.start(shape, VARIANTS[name]);
  try {
    for (const step of STEPS) await torch.run(step);
    const turns = [
      { into: pair.ours, run: runStep.bind(null, ours) },
      { into: pair.torch, run: torch.run.bind(torch) },
    ];
    for (let index = 0; index < steps; index++) {
      for (const step of STEPS) {
        for (const { into, run } of turns) {
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
          into.samples[step].push(await run(step));
        }
      }
      turns.reverse();
    }
    pair.torch.peakBytes = Math.max(pair.torch.peakBytes, await torch.peakBytes());
    pair.ours.peakBytes = await torch.peakBytes(Deno.pid);
    return await torch.machine();
  } finally {
    await torch.close();
  }
}

/**
 * The comparisons of the last lines: PyTorch as it comes, which is NCHW; with its faster memory format
 * alone; and the fastest tuned.
 */
function headlines(comparisons: Record<string, Comparison>): Record<string, string | undefined> {
  const tuned = Object.keys(VARIANTS).filter((name) => VARIANTS[name].tuned);
  return {
    "as it comes": fastest(comparisons, ["nchw"]),
    "in channels last": fastest(comparisons, ["channels_last"]),
    tuned: fastest(comparisons, tuned),
  };
}

function describe(title: string, name: string, comparison: Comparison): string {
  const { speedup, memoryRatio } = comparison;
  return `against PyTorch ${title} (${name}): ` +
    `${STEPS.map((step) => `${step} step ${speedup[step].toFixed(2)}x as fast`).join(", ")}, ` +
    `${(100 * memoryRatio).toFixed(1)} % of its peak memory`;
}

async function save(result: object): Promise<URL> {
  await Deno.mkdir(RESULTS, { recursive: true });
  const date = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const file = new URL(`peers_${date}.json`, RESULTS);
  await Deno.writeTextFile(file, JSON.stringify(result, null, 2) + "\n");
  return file;
}

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  const torch = await torchVersion();
  const { batch, layers, channels, threads } = options;
  const ours = await createStepRunner({ batch, layers, channels, threads });
  for (const step of STEPS) await runStep(ours, step);
  const pairs: Record<string, Pair> = Object.fromEntries(
    options.variants.map((name) => [name, { torch: emptyMeasurement(), ours: emptyMeasurement() }]),
  );
  let machine: Machine | undefined;
  for (let round = 0; round < options.rounds; round++) {
    for (const name of options.variants) {
      console.error(`round ${round + 1} of ${options.rounds}: ${name}`);
      machine = await measure(pairs[name], { name, options, ours });
    }
  }
  const comparisons = Object.fromEntries(
    Object.entries(pairs).map(([name, pair]) => [name, compare(pair.torch, pair.ours)]),
  );
  const versions = { deno: Deno.version.deno, v8: Deno.version.v8, torch };
  const best = headlines(comparisons);
  const file = await save({ machine, versions, options, best, comparisons, pairs });
  console.log(
    `${machine?.cpu}, ${machine?.cores} cores; Deno ${versions.deno}, PyTorch ${torch}; ` +
      `${layers} cells, ${channels} channels, batch ${batch}, ${threads} threads\n`,
  );
  console.log(table(comparisons) + "\n");
  for (const [title, name] of Object.entries(best)) {
    if (name) console.log(describe(title, name, comparisons[name]));
  }
  console.log(`saved ${file.pathname}`);
}

if (import.meta.main) {
  try {
    await main();
    Deno.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
