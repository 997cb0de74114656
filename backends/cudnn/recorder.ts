/**
 * Records steps on cuDNN: their work is captured as a CUDA graph, which a replay launches.
 *
 * Invariants: what the graphs read and write besides homes is in heaps and tables of their own, which are
 * kept until all of them end. The recordings share the heaps: a block is free again once its last reader is
 * captured, and no tensor outlives a recording.
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Copy, HomeMemory } from "../homes.ts";
import type { Captured, RecordingDevice } from "../step_recorder.ts";
import type { CudnnBackend } from "./backend.ts";
import type { CudaDevice } from "./device.ts";
import type { Handle } from "./ffi/memory.ts";
import { captureGraph, launchGraph } from "./graph.ts";
import type { Heaps } from "./heaps.ts";
import { HostTables } from "./host_tables.ts";
import { copyBlocks } from "./kernels/copy_blocks.ts";
import { hostValues } from "./tensor_data.ts";

export class CudnnRecording implements RecordingDevice<bigint> {
  readonly memory: HomeMemory<bigint>;
  readonly #backend: CudnnBackend;
  readonly #cuda: CudaDevice;
  readonly #heaps: Heaps;
  readonly #captured: { graph: Handle; tables: HostTables }[] = [];

  constructor(backend: CudnnBackend, cuda: CudaDevice) {
    this.memory = homeMemory(backend, cuda);
    this.#backend = backend;
    this.#cuda = cuda;
    this.#heaps = backend.pool.addHeaps();
  }

  place(tensor: TensorInfo): bigint {
    return this.#backend.address(tensor);
  }

  capture(body: () => readonly bigint[]): Captured {
    const { pool } = this.#backend, cuda = this.#cuda, tables = new HostTables(this.#backend);
    let most = 0;
    try {
      const graph = captureGraph(cuda, () => {
        most = pool.from(this.#heaps, () => this.#backend.during(tables, () => this.#check(body)));
      });
      tables.finish();
      this.#heaps.keepSegments();
      this.#captured.push({ graph, tables });
      return (bring) => {
        bring();
        pool.notePeak(most);
        tables.refresh();
        launchGraph(cuda, graph);
      };
    } catch (error) {
      tables.dispose();
      this.#heaps.trim();
      throw error;
    }
  }

  /** @throws {Error} If blocks that `body` took and does not return are still in use. */
  #check(body: () => readonly bigint[]): void {
    const { pool } = this.#backend, before = pool.usedOf(this.#heaps), left = new Set(body());
    const others = pool.usedOf(this.#heaps).difference(before).difference(left).size;
    if (others === 0) return;
    throw new Error(`Cannot record a step: ${others} tensors outlive it and are not declared`);
  }

  copyAll(copies: readonly Copy<bigint>[]): void {
    copyBlocks(this.#backend, copies);
  }

  dispose(): void {
    if (this.#cuda.closed) return;
    for (const { graph, tables } of this.#captured) {
      graph[Symbol.dispose]();
      tables.dispose();
    }
    this.#captured.length = 0;
    this.#backend.pool.removeHeaps(this.#heaps);
  }
}

function homeMemory(backend: CudnnBackend, cuda: CudaDevice): HomeMemory<bigint> {
  const { pool } = backend;
  return {
    place: (tensor) => backend.address(tensor),
    found: (dataId) => backend.get(dataId).address,
    move: (dataId, address) => backend.get(dataId).place(address),
    takeLike: (address) => pool.take(pool.sizeOf(address)),
    release: (address) => {
      if (!cuda.closed) pool.release(address);
    },
    own: (address, owner) => pool.own(address, owner),
    disown: (address) => pool.disown(address),
    countIdle: (address, change) => {
      if (!cuda.closed) pool.countIdle(address, change);
    },
    copy: (copy) => cuda.copy(copy, pool.sizeOf(copy.to)),
    upload: ({ dataId }, address) => backend.upload(hostValues(backend.get(dataId)), address),
  };
}
