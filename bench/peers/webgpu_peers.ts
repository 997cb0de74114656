/**
 * Ours against plain tfjs on one WebGPU adapter, in one go: `deno task bench:peers --backend=webgpu`.
 *
 * Both take the supernet's training steps of the search on the same images, from the same parameters:
 * ours with the fused kernels, plain tfjs with tfjs-backend-webgpu as it is, on which every fused op is
 * its composition. Each side has a device of its own on the adapter. First come both sides' first
 * steps, which compile shaders (the task switches off Mesa's cache on disk, which would hold them),
 * then `--steps` pairs of ours before and after each of `--rounds` pairs of the peers, so that whatever
 * else the machine does falls on both. All end when the loss is on the host; the losses must agree.
 *
 * On a GPU, where python3 has a torch that sees one, PyTorch takes the steps too.
 *
 * Options: --adapter high-performance --batch 16 --layers 5 --channels 16 --rounds 1 --steps 3; ask for
 * more rounds where plain tfjs does not take a minute a step. Prints tables, and writes
 * bench/results/webgpu_<date>.json.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Backend } from "../../backends/contract.ts";
import { startWebGpuBackend } from "../../backends/webgpu/backend.ts";
import { describeAdapter, requestAdapter } from "../../backends/webgpu/device.ts";
import { createStepRunner, type StepRunner } from "../../search/train_step.ts";
import { thisMachine } from "./machine.ts";
import type { WebGpuPeerOptions } from "./options.ts";
import { runStep, type Step, STEPS } from "./ours.ts";
import { saveResult } from "../results.ts";
import { startTfjsWebGpu } from "./tfjs_webgpu.ts";
import { torchGpu, TorchServer, torchVersion } from "./torch_server.ts";
import {
  comparePeer,
  describePeer,
  lossDifference,
  peerTable,
  type StepTimes,
} from "./webgpu_report.ts";

/** Relative, over a handful of steps: float32 sums in another order, amplified by each update. */
const LOSS_TOLERANCE = 1e-2;
/** Lets the other side's threads stop spinning before the next step, in milliseconds. */
const PAUSE_MS = 200;

/** A side of the comparison, ready to step. */
interface Contestant {
  name: string;
  times: StepTimes;
  step(step: Step): Promise<{ ms: number; loss: number }>;
  /** Of device memory; 0 where not known. */
  reservedBytes(): number;
  close(): Promise<void>;
}

function contestant(name: string, side: Omit<Contestant, "name" | "times">): Contestant {
  const times = {
    start: 0,
    first: { weight: 0, alpha: 0 },
    later: { weight: [], alpha: [] },
    losses: [],
    reservedBytes: 0,
  };
  return { name, times, ...side };
}

async function onTfjs(
  name: string,
  { options, start }: { options: WebGpuPeerOptions; start: () => Promise<Backend> },
): Promise<Contestant> {
  const began = performance.now(), { batch, layers, channels } = options;
  const backend = await start();
  const runner: StepRunner = await createStepRunner({ batch, layers, channels, backend });
  const side = contestant(name, {
    step: async (step) => {
      await tf.setBackend(backend.tfjsName);
      return { ms: await runStep(runner, step), loss: runner.loss };
    },
    reservedBytes: () => backend.memory().reserved,
    close: () => Promise.resolve(),
  });
  side.times.start = performance.now() - began;
  return side;
}

async function onTorch({ batch, layers, channels }: WebGpuPeerOptions): Promise<Contestant> {
  const began = performance.now(), threads = navigator.hardwareConcurrency;
  const variant = { layout: "nchw", tuned: false, device: "cuda" } as const;
  const server = await TorchServer.start({ batch, layers, channels, threads }, variant);
  const side = contestant("PyTorch", {
    step: async (step) => ({ ms: await server.run(step), loss: NaN }),
    reservedBytes: () => 0,
    close: () => server.close(),
  });
  side.times.start = performance.now() - began;
  return side;
}

async function firstSteps(side: Contestant): Promise<void> {
  for (const step of STEPS) side.times.first[step] = await take(side, step);
}

async function laterSteps(side: Contestant, pairs: number): Promise<void> {
  for (let pair = 0; pair < pairs; pair++) {
    for (const step of STEPS) side.times.later[step].push(await take(side, step));
  }
}

async function take({ name, times, step: run }: Contestant, step: Step): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  const { ms, loss } = await run(step);
  times.losses.push(loss);
  console.error(`${name}: ${step} step ${times.losses.length}, ${ms.toFixed(0)} ms`);
  return ms;
}

/** Runs the comparison. @throws {BackendError} If there is no adapter. */
export async function compareOnWebGpu(options: WebGpuPeerOptions): Promise<void> {
  const machine = thisMachine(), [loadBefore] = Deno.loadavg();
  const adapter = await requestAdapter(options.adapter);
  const { name, vendor, software } = describeAdapter(adapter);
  const { architecture, device } = adapter.info;
  console.error(`${name}${software ? " (software)" : ""}`);
  const gpu = software ? undefined : await torchGpu();

  const start = { options, start: () => startWebGpuBackend({ adapter: options.adapter }) };
  const ours = await onTfjs("ours", start);
  await firstSteps(ours);
  const plain = { options, start: () => startTfjsWebGpu(options.adapter) };
  const peers = [await onTfjs("plain tfjs", plain)];
  if (gpu !== undefined) peers.push(await onTorch(options));
  for (const peer of peers) await firstSteps(peer);

  await laterSteps(ours, options.steps);
  for (let round = 0; round < options.rounds; round++) {
    for (const peer of peers) await laterSteps(peer, 1);
    await laterSteps(ours, options.steps);
  }
  for (const side of [ours, ...peers]) {
    side.times.reservedBytes = side.reservedBytes();
    await side.close();
  }

  const lossesDiffer = lossDifference(ours.times.losses, peers[0].times.losses, {
    tolerance: LOSS_TOLERANCE,
  });
  const times = Object.fromEntries(peers.map((peer) => [peer.name, peer.times]));
  const comparisons = Object.fromEntries(
    peers.map((peer) => [peer.name, comparePeer(peer.times, ours.times)]),
  );
  const versions = {
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    // tfjs releases its packages together.
    tfjs: tf.version_core,
    torch: gpu === undefined ? undefined : await torchVersion(),
  };
  const file = await saveResult("webgpu", {
    machine,
    loadBefore,
    adapter: { name, vendor, architecture, device, software, torchGpu: gpu },
    versions,
    options,
    lossesDiffer,
    comparisons,
    ours: ours.times,
    peers: times,
  });
  const { batch, layers, channels } = options;
  console.log(
    `${name}${software ? " (software)" : ""} on ${machine.cpu}, ${machine.cores} cores; ` +
      `Deno ${versions.deno}, tfjs-backend-webgpu ${versions.tfjs}; ` +
      `${layers} cells, ${channels} channels, batch ${batch}\n`,
  );
  console.log(peerTable({ ours: ours.times, peers: times }) + "\n");
  for (const [peer, comparison] of Object.entries(comparisons)) {
    console.log(describePeer(peer, comparison));
  }
  console.log(`losses of ours and plain tfjs differ by at most ${lossesDiffer.toExponential(1)}`);
  if (software) console.log("without PyTorch, which has no device on a software adapter");
  else if (gpu === undefined) console.log("without PyTorch: python3 has none that sees a GPU");
  console.log(`saved ${file.pathname}`);
}
