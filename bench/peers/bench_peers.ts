/**
 * Ours against PyTorch on training steps of the search's supernet, or on training steps and inference of
 * the evaluation network (PDARTS, with auxiliary head and drop path), in one go: `deno task bench:peers`.
 *
 * Steps alternate (ours, PyTorch, ours, ...), each waits for its results, and the order within a pair
 * swaps every time, so that whatever else the machine does falls on both alike. PyTorch runs four
 * ways: NCHW and channels last, as it comes and with a tuned malloc. Only one PyTorch process lives at
 * a time, since each keeps up to 9 GB at batch 96; every round starts all of them afresh and takes one
 * untimed step of each kind first. Our steps run in this process, whose whole peak memory counts.
 *
 * Options: --what search|evaluation, --batch 96 --layers 5 --channels 16 (of the evaluation network 32, 20
 * and 36), --threads (all cores) --rounds 2 --steps 2
 * --variants nchw,channels_last,tuned_nchw,tuned_channels_last. Prints tables, and writes
 * bench/results/peers_<date>.json, or evaluation_<date>.json. Without python3 and torch it says so in one line, with exit code 1.
 *
 * With --backend=webgpu it compares with plain tfjs on a WebGPU adapter: see webgpu_peers.ts.
 */

import { saveResult } from "../results.ts";
import { type CpuPeerOptions, parsePeerOptions } from "./options.ts";
import { compare, type Comparison, fastest, type Measurement, paceTable, table } from "./report.ts";
import { type Machine, TorchServer, torchVersion, VARIANTS } from "./torch_server.ts";
import { type StartedWorkload, type Workload, WORKLOADS } from "./workloads.ts";

/** First words of the result files. */
const KINDS: Record<Workload["network"], string> = { supernet: "peers", evaluation: "evaluation" };

/** Lets the other side's idle threads stop spinning before the next step, in milliseconds. */
const PAUSE_MS = 200;

const emptyMeasurement = ({ steps }: Workload): Measurement => ({
  samples: Object.fromEntries(steps.map((step) => [step, []])),
  peakBytes: 0,
});

/** The samples of a variant, and ours taken in between. */
interface Pair {
  torch: Measurement;
  ours: Measurement;
}

/** One round of one variant: a fresh process, one warm step of each kind, then alternating steps. */
async function measure(
  pair: Pair,
  { name, options, ours }: {
    name: string;
    options: CpuPeerOptions;
    ours: StartedWorkload["steps"];
  },
): Promise<Machine> {
  const { batch, layers, channels, threads, steps, what } = options;
  const { network, steps: kinds } = WORKLOADS[what];
  const shape = { batch, layers, channels, threads };
  const torch = await TorchServer.start(shape, VARIANTS[name], network);
  try {
    for (const kind of kinds) await torch.run(kind);
    const turns = [
      { into: pair.ours, run: (kind: string) => ours[kind]() },
      { into: pair.torch, run: torch.run.bind(torch) },
    ];
    for (let index = 0; index < steps; index++) {
      for (const kind of kinds) {
        for (const { into, run } of turns) {
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
          into.samples[kind].push(await run(kind));
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

/** What the targets speak of: the best of PyTorch as it comes, and of PyTorch tuned. */
function headlines(comparisons: Record<string, Comparison>): Record<string, string | undefined> {
  const names = Object.keys(VARIANTS);
  return {
    "as it comes": fastest(comparisons, names.filter((name) => !VARIANTS[name].tuned)),
    tuned: fastest(comparisons, names.filter((name) => VARIANTS[name].tuned)),
  };
}

function describe(title: string, name: string, comparison: Comparison): string {
  const { speedup, memoryRatio } = comparison;
  return `against PyTorch ${title} (${name}): ` +
    Object.entries(speedup).map(([step, ratio]) => `${step} ${ratio.toFixed(2)}x as fast, `).join(
      "",
    ) +
    `${(100 * memoryRatio).toFixed(1)} % of its peak memory`;
}

async function compareOnCpu(options: CpuPeerOptions): Promise<void> {
  const torch = await torchVersion();
  const { batch, layers, channels, threads } = options;
  const workload = WORKLOADS[options.what], shape = { batch, layers, channels, threads };
  const { steps: ours } = await workload.start(shape);
  for (const kind of workload.steps) await ours[kind]();
  const pairs: Record<string, Pair> = Object.fromEntries(
    options.variants.map((name) => [name, {
      torch: emptyMeasurement(workload),
      ours: emptyMeasurement(workload),
    }]),
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
  const operations = workload.operations(shape), kind = KINDS[workload.network];
  const result = { machine, versions, options, operations, best, comparisons, pairs };
  const file = await saveResult(kind, result);
  console.log(
    `${machine?.cpu}, ${machine?.cores} cores; Deno ${versions.deno}, PyTorch ${torch}; ` +
      `${layers} cells, ${channels} channels, batch ${batch}, ${threads} threads\n`,
  );
  console.log(table(comparisons) + "\n");
  console.log(paceTable(comparisons, { batch, operations }) + "\n");
  for (const [title, name] of Object.entries(best)) {
    if (name) console.log(describe(title, name, comparisons[name]));
  }
  console.log(`saved ${file.pathname}`);
}

if (import.meta.main) {
  try {
    const options = parsePeerOptions(Deno.args);
    if (options.backend === "webgpu") {
      const { compareOnWebGpu } = await import("./webgpu_peers.ts");
      await compareOnWebGpu(options);
    } else await compareOnCpu(options);
    Deno.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
