/**
 * What training steps keep on the CPU, and how long they take, with `--memory=normal` and
 * `--memory=low`: `deno task bench:memory`.
 *
 * Of the first stage's supernet, of the last stage's with the primitives that keep the most, and of the
 * evaluation network, which at the authors' batch fits with low memory alone. The modes take turns in one
 * process, after an untimed round. Writes bench/results/memory_<date>.json. Options: --threads (all
 * cores) --rounds 3.
 */

import { parseArgs } from "deno-std/cli/parse_args.js";
import { OutOfMemoryError } from "../backends/contract.ts";
import { startBackend } from "../backends/mod.ts";
import { trainingConfig } from "../evaluate/config.ts";
import { NetworkTrainer } from "../evaluate/network_trainer.ts";
import { randomBatch } from "../nn/batch.ts";
import { EDGES } from "../nn/primitives.ts";
import { MEMORY_MODES, type MemoryMode } from "../nn/recompute.ts";
import { searchConfig } from "../search/config.ts";
import { allPrimitives, type KeptPrimitives } from "../search/edge_weights.ts";
import { stageSettings, StageTrainer } from "../search/stage_trainer.ts";
import { saveResult } from "./results.ts";

/** Steps of one kind in one mode. */
interface Steps {
  /** Median and all, sorted, in milliseconds. */
  milliseconds: number;
  samples: number[];
  peakBytes: number;
}

/** A network's steps by mode and kind; null where they do not fit. */
type Figures = Record<MemoryMode, Record<string, Steps> | null>;

/** Steps of a network by kind; each resolves once its results are on the host. */
type Stepper = Record<string, () => Promise<unknown>>;

interface Network {
  name: string;
  batch: number;
  make(memory: MemoryMode, batch: number): Stepper;
}

const LARGEST_THREE = ["sep_conv_3x3", "sep_conv_5x5", "dil_conv_5x5"] as const;
const LARGEST = EDGES.map(() => LARGEST_THREE);
const CELLS = 20, CHANNELS = 36;

const NETWORKS: Network[] = [
  { name: "search, 5 cells, all primitives", batch: 96, make: supernet(5, allPrimitives()) },
  { name: "search, 17 cells, the largest three", batch: 96, make: supernet(17, LARGEST) },
  { name: "evaluation, 20 cells, 36 channels", batch: 32, make: evaluationNetwork },
  { name: "evaluation, 20 cells, 36 channels", batch: 128, make: evaluationNetwork },
];

const options = parseArgs(Deno.args, { string: ["threads", "rounds"], default: { rounds: "3" } });
const rounds = Number(options.rounds);
const threads = Number(options.threads ?? navigator.hardwareConcurrency);

const { backend } = await startBackend("cpu", { threads });
const networks: { name: string; batch: number; figures: Figures }[] = [];
for (const network of NETWORKS) {
  const figures = await measure(network);
  networks.push({ name: network.name, batch: network.batch, figures });
  print(network, figures);
}
const versions = { deno: Deno.version.deno, v8: Deno.version.v8 };
const result = { device: backend.description, versions, threads, rounds, networks };
const file = await saveResult("memory", result);
console.log(`\nsaved ${file.pathname.split("/").slice(-3).join("/")}`);
backend.close();

/** Steps of a supernet of 16 channels. */
function supernet(layers: number, kept: KeptPrimitives) {
  return (memory: MemoryMode, batch: number): Stepper => {
    const which = { stage: 0, classes: 10, normal: kept, reduce: kept };
    const settings = { ...stageSettings(searchConfig(), which), layers, memory };
    const trainer = new StageTrainer(settings), images = randomBatch(batch);
    return {
      weight: () => (trainer.weightStep(images), trainer.report("weights")),
      alpha: () => (trainer.alphaStep(images), trainer.report("alphas")),
    };
  };
}

/** Steps of the network that the authors found, with auxiliary head and drop path. */
function evaluationNetwork(memory: MemoryMode, batch: number): Stepper {
  const config = trainingConfig();
  const sizes = { layers: CELLS, channels: CHANNELS, classes: 10 };
  const trainer = new NetworkTrainer({ ...config, ...sizes, memory });
  trainer.beginEpoch(config.epochs / 2);
  const images = randomBatch(batch);
  return { training: () => (trainer.trainStep(images), trainer.report("training")) };
}

async function measure({ batch, make }: Network): Promise<Figures> {
  const figures: Figures = { normal: null, low: null };
  const steppers = new Map<MemoryMode, { stepper: Stepper; ownBytes: number }>();
  for (const memory of MEMORY_MODES) {
    const before = backend.memory().current;
    const stepper = make(memory, batch);
    if (!await fits(stepper)) continue;
    steppers.set(memory, { stepper, ownBytes: backend.memory().current - before });
    figures[memory] = Object.fromEntries(Object.keys(stepper).map((kind) => [kind, noSteps()]));
  }
  for (let round = 0; round < rounds; round++) {
    for (const [memory, { stepper, ownBytes }] of steppers) {
      const others = backend.memory().current - ownBytes;
      for (const [kind, step] of Object.entries(stepper)) {
        await add(figures[memory]![kind], step, others);
      }
    }
  }
  return figures;
}

function noSteps(): Steps {
  return { milliseconds: NaN, samples: [], peakBytes: 0 };
}

async function fits(stepper: Stepper): Promise<boolean> {
  try {
    for (const step of Object.values(stepper)) await step();
    return true;
  } catch (error) {
    if (error instanceof OutOfMemoryError) return false;
    throw error;
  }
}

/** Takes a step beside so many bytes of other networks. */
async function add(steps: Steps, step: () => Promise<unknown>, others: number): Promise<void> {
  backend.resetPeak();
  const start = performance.now();
  await step();
  steps.samples.push(performance.now() - start);
  steps.samples.sort((a, b) => a - b);
  steps.milliseconds = steps.samples[steps.samples.length >> 1];
  steps.peakBytes = Math.max(steps.peakBytes, backend.memory().peak - others);
}

function print({ name, batch }: Network, figures: Figures): void {
  console.log(`\n${name}, batch ${batch}, ${threads} threads`);
  for (const memory of MEMORY_MODES) {
    for (const [kind, steps] of Object.entries(figures[memory] ?? {})) {
      const seconds = (steps.milliseconds / 1000).toFixed(2);
      const gigabytes = (steps.peakBytes / 1e9).toFixed(2);
      console.log(`${memory.padEnd(8)}${kind.padEnd(9)}${seconds} s ${gigabytes} GB`);
    }
    if (!figures[memory]) console.log(`${memory.padEnd(8)}does not fit`);
  }
}
