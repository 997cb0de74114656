/**
 * Where a step of the supernet goes on an NVIDIA card: `deno task bench:profile --backend=cudnn`.
 *
 * The functions that start work on the card are replaced by ones that run it {@linkcode REPEATS} times
 * between two events of the stream, which give the card's own time of all of them. So a kernel's inputs
 * are in the cache, if they fit there, and one shorter than the host's launch of it counts as that. A step
 * that is repeated in its parts computes something else, of the same shapes. Copies are not timed.
 *
 * Options: --batch 96 --layers 5 --channels 16 --steps 3. Prints a table for a weight and an alpha step,
 * and writes bench/results/cudnn_profile_<date>.json.
 */

import * as tf from "@tensorflow/tfjs-core";
import { type CudnnBackend, startCudnnBackend } from "../backends/cudnn/backend.ts";
import { loadLibraries } from "../backends/cudnn/ffi/load.ts";
import { cText } from "../backends/cudnn/ffi/memory.ts";
import type { Libraries } from "../backends/cudnn/ffi/open.ts";
import { checkCuda } from "../backends/cudnn/ffi/status.ts";
import { createStepRunner } from "../search/train_step.ts";
import { quantile } from "./peers/report.ts";
import { profileTable, type ProgramTotal } from "./profile_table.ts";
import { saveResult } from "./results.ts";

/** Times that a kernel runs in a row. */
const REPEATS = 10;

/** What to profile. */
export interface CudnnProfileOptions {
  batch: number;
  layers: number;
  channels: number;
  /** Profiled steps of each kind. */
  steps: number;
}

/** One kind of step. */
export interface CudnnStepProfile {
  /** Median of steps that are not profiled. */
  milliseconds: number;
  kernels: ProgramTotal[];
  /** Calls of kernels on the host in one step. */
  hostCalls: number;
}

/** Both kinds of step, and what they ran on. */
export interface CudnnProfile {
  /** The backend's description. */
  device: string;
  versions: Record<string, string>;
  shape: CudnnProfileOptions;
  profiles: Record<"weight" | "alpha", CudnnStepProfile>;
}

/** A kernel or a convolution of cuDNN's that was started, between two events. */
interface TimedCall {
  name: string;
  start: bigint;
  end: bigint;
}

/** NVIDIA's libraries with a clock in front of the functions that start work. */
export class TimedLibraries {
  /** What a backend is given. */
  readonly libraries: Libraries;
  /** Whether calls are repeated and timed. */
  timing = false;
  readonly #libraries: Libraries;
  readonly #names = new Map<bigint, string>();
  readonly #calls: TimedCall[] = [];
  #stream = 0n;

  constructor(libraries: Libraries) {
    const { cuda, cudnn } = this.#libraries = libraries;
    this.libraries = {
      ...libraries,
      cuda: {
        ...cuda,
        cuStreamCreate: (out, flags) => {
          const status = cuda.cuStreamCreate(out, flags);
          this.#stream = (out as BigUint64Array)[0];
          return status;
        },
        cuModuleGetFunction: (out, module, name) => {
          const status = cuda.cuModuleGetFunction(out, module, name);
          this.#names.set((out as BigUint64Array)[0], cText(name as Uint8Array));
          return status;
        },
        cuLaunchKernel: (kernel, ...rest) =>
          this.#time(this.#names.get(kernel)!, () => cuda.cuLaunchKernel(kernel, ...rest)),
      },
      cudnn: {
        ...cudnn,
        cudnnConvolutionForward: (...call) =>
          this.#time("cuDNN, forward", () => cudnn.cudnnConvolutionForward(...call)),
        cudnnConvolutionBackwardData: (...call) =>
          this.#time("cuDNN, input gradient", () => cudnn.cudnnConvolutionBackwardData(...call)),
        cudnnConvolutionBackwardFilter: (...call) =>
          this.#time("cuDNN, filter gradient", () => cudnn.cudnnConvolutionBackwardFilter(...call)),
      },
    };
  }

  /** Starts work, or starts it again and again between two events. @returns the first failure's status */
  #time(name: string, start: () => number): number {
    if (!this.timing) return start();
    const call = { name, start: this.#mark(), end: 0n };
    let status = 0;
    for (let repeat = 0; repeat < REPEATS && status === 0; repeat++) status = start();
    call.end = this.#mark();
    this.#calls.push(call);
    return status;
  }

  /** Puts a new event, which has the time, into the stream. */
  #mark(): bigint {
    const { cuda } = this.#libraries, event = new BigUint64Array(1);
    checkCuda(cuda, cuda.cuEventCreate(event, 0), "cuEventCreate");
    checkCuda(cuda, cuda.cuEventRecord(event[0], this.#stream), "cuEventRecord");
    return event[0];
  }

  /** Milliseconds of one run of each call since the last time, by kernel; all work must have ended. */
  takeTotals(): Map<string, Omit<ProgramTotal, "name">> {
    const { cuda } = this.#libraries, elapsed = new Float32Array(1);
    const totals = new Map<string, Omit<ProgramTotal, "name">>();
    for (const { name, start, end } of this.#calls.splice(0)) {
      const status = cuda.cuEventElapsedTime(elapsed, start, end);
      checkCuda(cuda, status, `cuEventElapsedTime of ${name}`);
      for (const event of [start, end]) cuda.cuEventDestroy_v2(event);
      const { calls, milliseconds } = totals.get(name) ?? { calls: 0, milliseconds: 0 };
      totals.set(name, { calls: calls + 1, milliseconds: milliseconds + elapsed[0] / REPEATS });
    }
    return totals;
  }
}

async function profileStep(
  clock: TimedLibraries,
  { step, steps }: { step: () => Promise<number>; steps: number },
): Promise<CudnnStepProfile> {
  await step();
  const { fallbacks } = tf.backend() as CudnnBackend;
  const onHost = () => fallbacks.values().reduce((sum, calls) => sum + calls, 0);
  const before = onHost(), rounds: ReturnType<TimedLibraries["takeTotals"]>[] = [];
  const times: number[] = [await step()];
  const hostCalls = onHost() - before;
  for (let round = 0; round < steps; round++) {
    times.push(await step());
    clock.timing = true;
    await step();
    clock.timing = false;
    rounds.push(clock.takeTotals());
  }
  const kernels = [...rounds[0]].map(([name, { calls }]) => ({
    name,
    calls,
    milliseconds: quantile(rounds.map((round) => round.get(name)!.milliseconds), 0.5),
  }));
  return { milliseconds: quantile(times, 0.5), kernels, hostCalls };
}

/** Profiles both kinds of step. @throws {BackendError} If there is no card, or no library for it. */
export async function measureOnCudnn(options: CudnnProfileOptions): Promise<CudnnProfile> {
  const { batch, layers, channels, steps } = options, clock = new TimedLibraries(loadLibraries());
  const backend = await startCudnnBackend({}, clock.libraries);
  const runner = await createStepRunner({ batch, layers, channels, backend, replay: false });
  const profile = (kind: "weightStep" | "alphaStep") =>
    profileStep(clock, { step: runner[kind], steps });
  const profiles = { weight: await profile("weightStep"), alpha: await profile("alphaStep") };
  runner.close();
  const versions = { ...clock.libraries.versions, deno: Deno.version.deno, v8: Deno.version.v8 };
  return { device: backend.description, versions, shape: options, profiles };
}

/** Prints and saves what {@linkcode measureOnCudnn} gives. */
export async function profileOnCudnn(options: CudnnProfileOptions): Promise<void> {
  const result = await measureOnCudnn(options), { batch, layers, channels } = options;
  console.log(
    `${layers} cells, ${channels} channels, batch ${batch}, ${result.device}, ` +
      `Deno ${Deno.version.deno}`,
  );
  for (const [name, { milliseconds, kernels, hostCalls }] of Object.entries(result.profiles)) {
    const table = profileTable(kernels, { name: "on the host, not timed", calls: hostCalls });
    console.log(`\n${name} step: ${milliseconds.toFixed(1)} ms\n${table}`);
  }
  console.log(`\nsaved ${(await saveResult("cudnn_profile", result)).pathname}`);
}
