/**
 * Records steps on WebGPU: their calls go to a list instead of the device, with every buffer and bind group
 * kept, and a replay submits that list.
 *
 * Invariants: recording a step runs nothing on the device; tensors that live on between steps stay in
 * their homes, which a replay reads and, by copies at its end, writes.
 */

import type { Tensor } from "@tensorflow/tfjs-core";
import type { Recorder, Recording } from "../contract.ts";
import { Arena } from "./arena.ts";
import type { WebGpuBackend } from "./backend.ts";
import { CommandList } from "./command_list.ts";
import { runCopies } from "./copies.ts";
import { Homes } from "./homes.ts";

const UNIFORM = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;

export class WebGpuRecorder implements Recorder {
  readonly #backend: WebGpuBackend;
  readonly #arena: Arena;
  readonly #homes: Homes;

  constructor(backend: WebGpuBackend) {
    this.#backend = backend;
    this.#arena = new Arena(backend.pool, backend.limits);
    this.#homes = new Homes(backend);
  }

  record(step: () => void, tensors: () => readonly Tensor[]): Recording {
    const { bufferManager } = this.#backend, added: GPUBuffer[] = [];
    try {
      const homes = distinct(tensors().map((tensor) => this.#homes.of(tensor, added)));
      this.#backend.submitAll();
      const list = new CommandList(
        this.#backend,
        (bytes) => bufferManager.acquireBuffer(bytes, UNIFORM),
      );
      this.#arena.during(() =>
        this.#backend.diverted(list, () => {
          step();
          return this.#copyHome(tensors(), homes);
        })
      );
      list.finish();
      tensors().forEach((tensor, index) => this.#homes.settle(tensor, homes[index]));
      return { replay: (given) => this.#replay(list, { tensors: given, homes }) };
    } catch (error) {
      this.#homes.remove(added);
      throw error;
    }
  }

  /** Encodes copies of a step's results to the tensors' homes; returns the buffers they are in. */
  #copyHome(tensors: readonly Tensor[], homes: readonly GPUBuffer[]): GPUBuffer[] {
    const buffers = tensors.map((tensor) => this.#backend.buffer(tensor));
    const copies = homes.map((to, index) => ({ from: buffers[index], to }))
      .filter(({ from, to }) => from !== to);
    distinct([...homes, ...copies.map(({ from }) => from)]);
    runCopies(this.#backend, copies);
    return buffers;
  }

  #replay(
    list: CommandList,
    { tensors, homes }: { tensors: readonly Tensor[]; homes: readonly GPUBuffer[] },
  ): void {
    this.#backend.errors.guarded(() => {
      this.#backend.submitAll();
      tensors.forEach((tensor, index) => this.#homes.bring(tensor, homes[index]));
      this.#backend.pool.noteAllInUse();
      list.replay();
    });
  }

  dispose(): void {
    this.#arena.dispose();
    this.#homes.dispose();
  }
}

/** @throws {Error} If a buffer, and so a tensor's values, comes twice. */
function distinct(buffers: readonly GPUBuffer[]): readonly GPUBuffer[] {
  if (new Set(buffers).size === buffers.length) return buffers;
  throw new Error("Cannot record a step: two of its tensors share their values");
}
