/**
 * Workers that decode and transform images ahead of the device.
 *
 * Invariants: a result follows from its task alone, whichever worker has it; a worker that ends is an error
 * of all that waits, and of all that is asked for later; the workers start with the first task, may read
 * the images' folders and nothing else of the user's, and end when the pool is disposed.
 */

import type { Decoded, DecodeTask, WorkerAnswer, WorkerOrder } from "./decode_work.ts";
import { SHARP_PERMISSIONS } from "./sharp_permissions.ts";
import { DatasetError } from "./types.ts";

/** Options of {@linkcode DecodePool}. */
export interface DecodePoolOptions {
  /** Folders of the images. */
  roots: readonly string[];
  /** How many; default one less than the processors, and at least 1. */
  workers?: number;
  /** Their module; default `decode_worker.ts`. */
  module?: URL;
}

/** A task that a worker has. */
interface Pending {
  worker: number;
  group: number;
  path: string;
  result: PromiseWithResolvers<Decoded>;
}

/** The workers, and what they are at. */
export class DecodePool implements Disposable {
  readonly #options: DecodePoolOptions;
  readonly #count: number;
  readonly #workers: Worker[] = [];
  readonly #pending = new Map<number, Pending>();
  /** Tasks each worker has. */
  readonly #loads: number[];
  #nextId = 0;
  #nextGroup = 0;
  #failure: DatasetError | undefined;

  /**
   * Starts nothing yet.
   *
   * @throws {RangeError} If the number of workers is not an integer from 1 on.
   */
  constructor(options: DecodePoolOptions) {
    const { workers = Math.max(1, navigator.hardwareConcurrency - 1) } = options;
    if (!Number.isSafeInteger(workers) || workers < 1) {
      throw new RangeError(`Cannot decode images: want 1 worker or more, got ${workers}`);
    }
    this.#options = options;
    this.#count = workers;
    this.#loads = new Array<number>(workers).fill(0);
  }

  /** A name for tasks that are cancelled together. */
  group(): number {
    return this.#nextGroup++;
  }

  /**
   * Has a worker load an image.
   *
   * @returns The pixels, or why the image cannot be read; never settles once its group is cancelled.
   * @throws {DatasetError} If a worker ended, or failed by no fault of the image.
   */
  load(task: DecodeTask, group: number): Promise<Decoded> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#workers.length === 0) this.#start();
    const worker = this.#loads.indexOf(Math.min(...this.#loads));
    const id = this.#nextId++, result = Promise.withResolvers<Decoded>();
    this.#pending.set(id, { worker, group, path: task.path, result });
    this.#loads[worker]++;
    this.#post(worker, { kind: "load", id, group, task });
    return result.promise;
  }

  /** Forgets the tasks of a group. */
  cancel(group: number): void {
    for (const [id, pending] of this.#pending) {
      if (pending.group === group) this.#remove(id);
    }
    for (const worker of this.#workers.keys()) this.#post(worker, { kind: "cancel", group });
  }

  /** Ends the workers; what waits fails. */
  [Symbol.dispose](): void {
    this.#fail("the workers were ended");
  }

  #post(worker: number, order: WorkerOrder): void {
    this.#workers[worker].postMessage(order);
  }

  #start(): void {
    const { roots, module = new URL("./decode_worker.ts", import.meta.url) } = this.#options;
    const permissions = {
      ...SHARP_PERMISSIONS,
      read: [...roots, ...SHARP_PERMISSIONS.read],
      env: [...SHARP_PERMISSIONS.env],
    };
    for (let index = 0; index < this.#count; index++) {
      const worker = new Worker(module, { type: "module", deno: { permissions } });
      worker.onmessage = ({ data }: MessageEvent<WorkerAnswer>) => this.#settle(data);
      worker.onmessageerror = () => this.#fail("an image did not get through");
      worker.onerror = (event) => {
        event.preventDefault();
        this.#fail(`a worker ended: ${event.message}`);
      };
      this.#workers.push(worker);
    }
  }

  #remove(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending) this.#loads[pending.worker]--;
    this.#pending.delete(id);
    return pending;
  }

  #settle({ id, result }: WorkerAnswer): void {
    const pending = this.#remove(id);
    if (!pending) return;
    if ("fault" in result) {
      pending.result.reject(new DatasetError(`Cannot load ${pending.path}: ${result.fault}`));
    } else pending.result.resolve(result);
  }

  #fail(reason: string): void {
    this.#failure ??= new DatasetError(`Cannot load images: ${reason.split("\n")[0]}`);
    for (const worker of this.#workers.splice(0)) worker.terminate();
    for (const id of [...this.#pending.keys()]) this.#remove(id)!.result.reject(this.#failure);
  }
}
