/**
 * Where a step of the supernet goes, or of the evaluation network: `deno task bench:profile`.
 *
 * Prints, for each kind of step, every kind of kernel with its time, rate and share beside the
 * machine's measured roofs, and what is left outside the kernels; writes bench/results/profile_<date>.json.
 * Rates count only operations and bytes that cannot be left out (see backends/cpu/profile.ts), so that
 * recomputing costs. Options: --batch 96 --layers 5 --channels 16 --threads (all cores) --steps 3;
 * --network=evaluation, of 20 cells, 36 channels and batch 32, or --network=imagenet, of 14, 48 and 16; with
 * --backend=webgpu, see webgpu_profile.ts, and with --backend=cudnn, cudnn_profile.ts.
 */

import * as tf from "@tensorflow/tfjs-core";
import { parseArgs } from "deno-std/cli/parse_args.js";
import type { CpuBackend } from "../backends/cpu/backend.ts";
import { KernelProfile, type KernelTotal } from "../backends/cpu/profile.ts";
import { measureRoofs, type Roofs } from "../backends/cpu/roof.ts";
import { createStepRunner as createEvaluation } from "../evaluate/step_runner.ts";
import { createStepRunner as createSearch } from "../search/train_step.ts";
import { adapterChoice } from "./peers/options.ts";
import { WORKLOADS } from "./peers/workloads.ts";
import { saveResult } from "./results.ts";

/** One kind of step. */
interface StepProfile {
  /** Median of the profiled steps. */
  milliseconds: number;
  /** Sum over the kernels of an average step. */
  inKernels: number;
  kernels: KernelTotal[];
}

const options = parseArgs(Deno.args, {
  string: ["network", "backend", "adapter", "batch", "layers", "channels", "threads", "steps"],
  default: { network: "search", backend: "cpu", adapter: "high-performance", steps: "3" },
});
const { shape: usual } = WORKLOADS[options.network];
const [batch, layers, channels, steps] = [
  options.batch ?? (options.backend === "webgpu" ? 16 : usual.batch),
  options.layers ?? usual.layers,
  options.channels ?? usual.channels,
  options.steps,
].map(Number);
if (options.backend === "webgpu") {
  const { profileOnWebGpu } = await import("./webgpu_profile.ts");
  const adapter = adapterChoice(options.adapter);
  await profileOnWebGpu({ adapter, batch, layers, channels, steps });
  Deno.exit(0);
}
if (options.backend === "cudnn") {
  const { profileOnCudnn } = await import("./cudnn_profile.ts");
  await profileOnCudnn({ batch, layers, channels, steps });
  Deno.exit(0);
}
const threads = Number(options.threads ?? navigator.hardwareConcurrency);

const { runner, kinds } = await makeRunner();
const backend = tf.backend() as unknown as CpuBackend;
const roofs = measureRoofs(backend);
const profiles: Record<string, StepProfile> = {};
for (const [name, step] of Object.entries(kinds)) {
  for (let warm = 0; warm < 2; warm++) await step();
  const profile = backend.profile = new KernelProfile(), times: number[] = [];
  for (let index = 0; index < steps; index++) times.push(await step());
  backend.profile = undefined;
  const kernels = profile.totals().map(({ label, ...total }) => ({
    label,
    flops: total.flops / steps,
    bytes: total.bytes / steps,
    vectorFlops: total.vectorFlops / steps,
    calls: total.calls / steps,
    milliseconds: total.milliseconds / steps,
  }));
  profiles[name] = {
    milliseconds: times.sort((a, b) => a - b)[steps >> 1],
    inKernels: kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
    kernels,
  };
}
const { peak } = runner.memory();
runner.close();
print();
await save();

/** The network's steps by name. */
async function makeRunner() {
  const shape = { batch, layers, channels, threads };
  if (options.network !== "search") {
    const network = options.network === "imagenet" ? "imagenet" : "cifar";
    const runner = await createEvaluation({ ...shape, network });
    return { runner, kinds: { training: runner.trainStep, inference: runner.infer } };
  }
  const runner = await createSearch(shape);
  return { runner, kinds: { weight: runner.weightStep, alpha: runner.alphaStep } };
}

function print(): void {
  console.log(
    `${layers} cells, ${channels} channels, batch ${batch}, ${threads} threads, ` +
      `Deno ${Deno.version.deno}; tensors' peak ${(peak / 1e9).toFixed(2)} GB\n` +
      `roofs: ${roofs.gflops.toFixed(0)} GFLOP/s, ${roofs.gigabytes.toFixed(0)} GB/s`,
  );
  for (const [name, profile] of Object.entries(profiles)) {
    console.log(`\n${name} step: ${profile.milliseconds.toFixed(0)} ms`);
    console.log(rowOf(["calls", "ms", "GFLOP/s", "of roof", "GB/s", "of roof"], "kernel"));
    for (const total of families(profile.kernels)) console.log(line(total, roofs));
    const rest = profile.milliseconds - profile.inKernels;
    console.log(rowOf(["", rest.toFixed(1), "", "", "", ""], "outside kernels"));
  }
}

/** Kernels of one direction and image size together; the JSON keeps them apart. */
function families(kernels: KernelTotal[]): KernelTotal[] {
  const sums = new Map<string, KernelTotal>();
  for (const kernel of kernels) {
    const label = kernel.label.replace(/: .*,.*/, ": all of a state");
    const sum = sums.get(label) ??
      { label, flops: 0, bytes: 0, vectorFlops: 0, calls: 0, milliseconds: 0 };
    sums.set(label, {
      label,
      flops: sum.flops + kernel.flops,
      bytes: sum.bytes + kernel.bytes,
      vectorFlops: sum.vectorFlops + kernel.vectorFlops,
      calls: sum.calls + kernel.calls,
      milliseconds: sum.milliseconds + kernel.milliseconds,
    });
  }
  return [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

function line({ label, flops, bytes, calls, milliseconds }: KernelTotal, roofs: Roofs): string {
  const gflops = flops / milliseconds / 1e6, gigabytes = bytes / milliseconds / 1e6;
  const share = (rate: number, roof: number) => `${(100 * rate / roof).toFixed(0)} %`;
  return rowOf([
    String(calls),
    milliseconds.toFixed(1),
    gflops.toFixed(1),
    share(gflops, roofs.gflops),
    gigabytes.toFixed(1),
    share(gigabytes, roofs.gigabytes),
  ], label);
}

function rowOf(cells: string[], label: string): string {
  return label.padEnd(50) + cells.map((cell) => cell.padStart(9)).join("");
}

async function save(): Promise<void> {
  const shape = { batch, layers, channels, threads };
  const versions = { deno: Deno.version.deno, v8: Deno.version.v8 };
  const result = { shape, versions, roofs, tensorPeakBytes: peak, profiles };
  const file = await saveResult("profile", result);
  console.log(`\nsaved ${file.pathname.split("/").slice(-3).join("/")}`);
}
