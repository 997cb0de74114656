/**
 * Measures which of a convolution's engines is the fastest on this card.
 *
 * Invariants: what is measured runs on a stream and in memory of its own, after all other work has ended,
 * so that it neither ends a capture under way nor becomes a part of it, and reads and writes no tensor.
 * The values are whatever that memory holds: no engine's time depends on them.
 */

import type { CudaDevice } from "./device.ts";
import type { EngineChoices } from "./engine_choices.ts";
import { CUDA_VALUES } from "./ffi/cuda.ts";
import { CUDNN_VALUES } from "./ffi/cudnn.ts";
import { createHandle, type Handle } from "./ffi/memory.ts";
import { checkCudnn } from "./ffi/status.ts";

/** A way of cuDNN's to compute a convolution. */
export interface Engine {
  /** Its number in cuDNN's enum for the kind of convolution. */
  algorithm: number;
  /** `cudnnMathType_t`: how it multiplies. */
  mathType: number;
  /** Bytes. */
  workspace: number;
}

/** A convolution whose engine is to be chosen. */
export interface Contest {
  /** Tells convolutions apart, in files too. */
  name: string;
  /** At least one; the first is taken where nothing can be measured. */
  engines: readonly Engine[];
  /** Bytes of operands and of the largest workspace. */
  bytes: number;
  /** Runs an engine on a handle's stream, in memory of so many bytes; returns cuDNN's status. */
  run: (engine: Engine, handle: bigint, memory: bigint) => number;
}

/** Timed runs of an engine, behind one that is not; the median counts. */
const RUNS = 3;

export class EngineTimer implements Disposable {
  readonly #device: CudaDevice;
  readonly #choices: EngineChoices;
  readonly #resources = new DisposableStack();
  /** Made for the first measurement. */
  #lane: { stream: bigint; handle: bigint; start: bigint; end: bigint } | undefined;

  constructor(device: CudaDevice, choices: EngineChoices) {
    this.#device = device;
    this.#choices = choices;
  }

  /** The fastest engine, as measured now or by an earlier process. */
  fastest(contest: Contest): Engine {
    const { name, engines } = contest, kept = this.#choices.get(name);
    const known = engines.find((engine) => nameOf(engine) === kept);
    if (known) return known;
    const memory = this.#device.allocate(contest.bytes);
    if (memory === undefined) return engines[0];
    try {
      const times = engines.map((engine) => this.#time(contest, engine, memory));
      const best = times.indexOf(Math.min(...times));
      if (!Number.isFinite(times[best])) return engines[0];
      this.#choices.set(name, nameOf(engines[best]));
      return engines[best];
    } finally {
      this.#device.free(memory);
    }
  }

  /** Milliseconds of an engine; infinite where cuDNN refuses it. */
  #time({ run }: Contest, engine: Engine, memory: bigint): number {
    const { stream, handle, start, end } = this.#lane ??= this.#open();
    const device = this.#device, { cuda } = device.libraries, elapsed = new Float32Array(1);
    device.settle();
    const times: number[] = [];
    for (let count = 0; count <= RUNS; count++) {
      device.check(cuda.cuEventRecord(start, stream), "cuEventRecord");
      if (run(engine, handle, memory) !== CUDNN_VALUES.CUDNN_STATUS_SUCCESS) return Infinity;
      device.check(cuda.cuEventRecord(end, stream), "cuEventRecord");
      device.check(cuda.cuEventSynchronize(end), "cuEventSynchronize of a measured convolution");
      device.check(cuda.cuEventElapsedTime(elapsed, start, end), "cuEventElapsedTime");
      if (count > 0) times.push(elapsed[0]);
    }
    return times.sort((a, b) => a - b)[times.length >> 1];
  }

  #open() {
    const device = this.#device, { cudnn } = device.libraries;
    const check = (status: number, call: string) => checkCudnn(cudnn, status, call);
    const keep = (handle: Handle) => this.#resources.use(handle).address;
    const stream = keep(device.newStream());
    const handle = keep(createHandle(
      (out) => check(cudnn.cudnnCreate(out), "cudnnCreate"),
      (address) => {
        if (!device.failed) check(cudnn.cudnnDestroy(address), "cudnnDestroy");
      },
    ));
    check(cudnn.cudnnSetStream(handle, stream), "cudnnSetStream");
    const [start, end] = [1, 2].map(() => keep(device.event(CUDA_VALUES.CU_EVENT_DEFAULT)));
    return { stream, handle, start, end };
  }

  /** Ends the stream and the handle. */
  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}

function nameOf({ algorithm, mathType }: Engine): string {
  return `algorithm ${algorithm}, math ${mathType}`;
}
