/**
 * Runs kernels on all threads at once: the caller takes its share and spins for the rest, so that a
 * kernel call is synchronous, as tfjs needs it.
 */

import { BackendError } from "../contract.ts";
import type { Arena } from "./memory.ts";
import {
  Control,
  firstClaim,
  MAX_THREADS,
  nextGeneration,
  type PartKernel,
  runParts,
  type WorkerStart,
} from "./protocol.ts";

/** The kernels' module on this thread. */
export type KernelExports = Record<string, (...args: number[]) => number>;

/** What {@linkcode Threads.start} starts. */
export interface ThreadsOptions {
  /** The kernels. */
  readonly module: WebAssembly.Module;
  /** How many threads, the caller's own included. */
  readonly count: number;
  /** The module of a thread; `worker.ts` by default. */
  readonly worker?: URL;
}

/** What a thread runs. */
const WORKER = new URL("./worker.ts", import.meta.url);

export class Threads {
  readonly count: number;
  /** Functions of the module, for calls on this thread alone. */
  readonly kernels: KernelExports;
  readonly #arena: Arena;
  readonly #control: Int32Array;
  readonly #worker: URL;
  readonly #names: string[];
  readonly #workers: Worker[] = [];
  #generation = 0;
  #scratchBytes = 0;
  readonly #scratch: number[] = [];

  private constructor(arena: Arena, { module, count, worker = WORKER }: ThreadsOptions) {
    const words = 4 * (Control.scratch + MAX_THREADS);
    this.#arena = arena;
    this.count = count;
    // A page that is not isolated has no shared memory, and one thread needs none.
    this.#control = new Int32Array(
      count > 1 ? new SharedArrayBuffer(words) : new ArrayBuffer(words),
    );
    this.#worker = worker;
    const instance = new WebAssembly.Instance(module, {
      env: {
        memory: arena.memory,
        abort: () => {
          throw new Error("a kernel stopped");
        },
      },
    });
    this.kernels = instance.exports as unknown as KernelExports;
    this.#names = WebAssembly.Module.exports(module).map(({ name }) => name);
  }

  /**
   * Starts `count` threads, the caller's own included; 1 starts no worker.
   *
   * @throws {BackendError} If a worker cannot start; those that did are ended.
   */
  static async start(arena: Arena, options: ThreadsOptions): Promise<Threads> {
    const { module, count } = options, threads = new Threads(arena, options);
    try {
      const starts = Array.from(
        { length: count - 1 },
        (_, index) => threads.#startWorker(module, index + 1),
      );
      await Promise.all(starts);
      return threads;
    } catch (error) {
      threads.close();
      throw error;
    }
  }

  #startWorker(module: WebAssembly.Module, thread: number): Promise<void> {
    const worker = new Worker(this.#worker, { type: "module" });
    this.#workers.push(worker);
    const start: WorkerStart = {
      module,
      memory: this.#arena.memory,
      control: this.#control.buffer as SharedArrayBuffer,
      thread,
      kernels: this.#names,
    };
    return new Promise((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new BackendError("cpu", `Cannot start CPU thread ${thread}: ${event.message}`));
      };
      worker.postMessage(start);
    });
  }

  /**
   * Runs every part of a kernel and waits for all.
   *
   * @param args Address of the kernel's arguments.
   * @param options.parts How many, at most 128.
   * @param options.scratchBytes Scratch each thread needs.
   * @throws {BackendError} If a part failed.
   * @throws {OutOfMemoryError} If there is no memory for the scratch.
   */
  run(
    kernel: string,
    args: number,
    { parts, scratchBytes = 0 }: { parts: number; scratchBytes?: number },
  ): void {
    if (scratchBytes > this.#scratchBytes) this.#growScratch(scratchBytes);
    const control = this.#control;
    const generation = this.#generation = nextGeneration(this.#generation);
    Atomics.store(control, Control.claim, -1); // nothing to claim while the job is written
    control[Control.kernel] = this.#names.indexOf(kernel);
    control[Control.args] = args | 0;
    Atomics.store(control, Control.parts, parts);
    control[Control.done] = 0;
    control[Control.failed] = 0;
    Atomics.store(control, Control.claim, firstClaim(generation));
    if (parts > 1 && this.#workers.length > 0) {
      Atomics.store(control, Control.generation, generation);
      Atomics.notify(control, Control.generation);
    }
    const run = this.kernels[kernel] as unknown as PartKernel;
    runParts(control, run, { generation, thread: 0 });
    while (Atomics.load(control, Control.done) < parts) { /* the others finish theirs */ }
    if (control[Control.failed]) throw new BackendError("cpu", `CPU kernel ${kernel} failed`);
  }

  #growScratch(bytes: number): void {
    // Not a power of two apart, so that threads do not compete for the same cache sets.
    const size = Math.ceil(bytes / 4096) * 4096 + 320;
    this.#freeScratch();
    try {
      for (let thread = 0; thread < this.count; thread++) {
        const address = this.#arena.allocate(size);
        this.#scratch.push(address);
        this.#control[Control.scratch + thread] = address | 0;
      }
    } catch (error) {
      this.#freeScratch();
      throw error;
    }
    this.#scratchBytes = size;
  }

  #freeScratch(): void {
    this.#scratchBytes = 0;
    for (const address of this.#scratch.splice(0)) this.#arena.free(address);
  }

  /** Ends the workers. */
  close(): void {
    Atomics.store(this.#control, Control.generation, -1);
    Atomics.notify(this.#control, Control.generation);
    for (const worker of this.#workers) worker.terminate();
  }
}
