/**
 * Where a step of the supernet goes on WebGPU: `deno task bench:profile --backend=webgpu`.
 *
 * All calls of our programs in one step are recorded; then each program's are run again in one go, on
 * the buffers that they had, and timed until the device has done them, as often as it takes to time
 * them well. That works on adapters without timestamps too, and no call changes its own inputs.
 * Encoding is part of the time. Programs are timed alone and in another order than in the step, so
 * that their sum can differ from it by a third: shares are of the sum. tfjs's own programs are counted.
 * Replayed steps, whose JavaScript does not run again, are timed in turns with these.
 *
 * Options: --adapter high-performance --batch 16 --layers 5 --channels 16 --steps 3. Prints a table for
 * a weight and an alpha step, and writes bench/results/webgpu_profile_<date>.json.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { BackendOptions } from "../backends/contract.ts";
import { startWebGpuBackend, type WebGpuBackend } from "../backends/webgpu/backend.ts";
import type { Dispatch } from "../backends/webgpu/dispatcher.ts";
import type { Program } from "../backends/webgpu/program.ts";
import { createStepRunner } from "../search/train_step.ts";
import { quantile } from "./peers/report.ts";
import { profileTable, type ProgramTotal } from "./profile_table.ts";
import { saveResult } from "./results.ts";

/** A program is timed for at least so long, in milliseconds: Deno sees only every 10 that it is done. */
const LEAST_MS = 100;

/** What to profile. */
export interface WebGpuProfileOptions {
  adapter?: BackendOptions["adapter"];
  batch: number;
  layers: number;
  channels: number;
  /** Rounds of one step and each program's calls, in turns. */
  steps: number;
}

/** A call of a program. */
export interface RecordedCall {
  program: Program;
  call: Dispatch;
}

/** One kind of step. */
export interface WebGpuStepProfile {
  /** Median of the rounds, all of the step's JavaScript included. */
  milliseconds: number;
  /** The same of a replayed step. */
  replayMilliseconds: number;
  programs: ProgramTotal[];
  /** Calls of tfjs's own programs. */
  tfjsCalls: number;
}

/** The calls by their program's name, in the order in which names come up. */
export function byProgram(calls: readonly RecordedCall[]): Map<string, RecordedCall[]> {
  return Map.groupBy(calls, ({ program }) => program.name);
}

/** Runs a step with all its calls recorded. */
async function record(
  backend: WebGpuBackend,
  step: () => Promise<number>,
): Promise<{ calls: RecordedCall[]; tfjsCalls: number }> {
  const calls: RecordedCall[] = [], { run, runWebGPUProgram } = backend;
  let tfjsCalls = 0;
  backend.run = (program, call) => {
    calls.push({ program, call });
    run.call(backend, program, call);
  };
  backend.runWebGPUProgram = (...args) => {
    tfjsCalls++;
    return runWebGPUProgram.apply(backend, args);
  };
  try {
    await step();
  } finally {
    Object.assign(backend, { run, runWebGPUProgram });
  }
  return { calls, tfjsCalls };
}

/** Runs calls again. @returns milliseconds that the device takes for all of them once */
async function timeCalls(backend: WebGpuBackend, calls: readonly RecordedCall[]): Promise<number> {
  for (let repeats = 1;;) {
    const start = performance.now();
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const { program, call } of calls) backend.run(program, call);
    }
    backend.usage(); // submits
    await backend.device.queue.onSubmittedWorkDone();
    const time = performance.now() - start;
    if (time >= LEAST_MS) return time / repeats;
    repeats *= Math.ceil(LEAST_MS / time);
  }
}

async function profileStep(
  backend: WebGpuBackend,
  { step, replayed, steps }: Record<"step" | "replayed", () => Promise<number>> & { steps: number },
): Promise<WebGpuStepProfile> {
  await step();
  await replayed();
  const { calls, tfjsCalls } = await record(backend, step);
  const programs = [...byProgram(calls)].map(([name, own]) => ({
    name,
    own,
    runs: [] as number[],
  }));
  const times: number[] = [], replays: number[] = [];
  for (let round = 0; round < steps; round++) {
    times.push(await step());
    replays.push(await replayed());
    for (const { own, runs } of programs) runs.push(await timeCalls(backend, own));
  }
  return {
    milliseconds: quantile(times, 0.5),
    replayMilliseconds: quantile(replays, 0.5),
    programs: programs.map(({ name, own, runs }) => ({
      name,
      calls: own.length,
      milliseconds: quantile(runs, 0.5),
    })),
    tfjsCalls,
  };
}

/** Both kinds of step, and what they ran on. */
export interface WebGpuProfile {
  /** The backend's description. */
  adapter: string;
  versions: Record<string, string>;
  shape: WebGpuProfileOptions;
  memory: { tensorPeakBytes: number; reservedBytes: number };
  profiles: Record<"weight" | "alpha", WebGpuStepProfile>;
}

/** Profiles both kinds of step. @throws {BackendError} If there is no adapter. */
export async function measureOnWebGpu(options: WebGpuProfileOptions): Promise<WebGpuProfile> {
  const { adapter, batch, layers, channels, steps } = options;
  const backend = await startWebGpuBackend({ adapter });
  const shape = { batch, layers, channels, backend };
  const runner = await createStepRunner({ ...shape, replay: false });
  const device = tf.backend() as WebGpuBackend;
  const replaying = await createStepRunner(shape);
  const profile = (kind: "weightStep" | "alphaStep") =>
    profileStep(device, { step: runner[kind], replayed: replaying[kind], steps });
  const profiles = { weight: await profile("weightStep"), alpha: await profile("alphaStep") };
  const { peak, reserved } = runner.memory();
  return {
    adapter: backend.description,
    versions: { deno: Deno.version.deno, v8: Deno.version.v8, tfjs: tf.version_core },
    shape: options,
    memory: { tensorPeakBytes: peak, reservedBytes: reserved },
    profiles,
  };
}

/** Prints and saves what {@linkcode measureOnWebGpu} gives. */
export async function profileOnWebGpu(options: WebGpuProfileOptions): Promise<void> {
  const result = await measureOnWebGpu(options), { batch, layers, channels } = options;
  console.log(
    `${layers} cells, ${channels} channels, batch ${batch}, ${result.adapter}, ` +
      `Deno ${Deno.version.deno}; ` +
      `tensors' peak ${(result.memory.tensorPeakBytes / 1e9).toFixed(2)} GB`,
  );
  for (const [name, profile] of Object.entries(result.profiles)) {
    const times = [profile.milliseconds, profile.replayMilliseconds].map((time) => time.toFixed(0));
    const untimed = { name: "tfjs's own, not timed", calls: profile.tfjsCalls };
    const table = profileTable(profile.programs, untimed);
    console.log(`\n${name} step: ${times[0]} ms, replayed ${times[1]} ms\n${table}`);
  }
  console.log(`\nsaved ${(await saveResult("webgpu_profile", result)).pathname}`);
}
