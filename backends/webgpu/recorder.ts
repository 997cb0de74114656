/**
 * Records steps on WebGPU: their calls go to a list instead of the device, with every buffer and bind group
 * kept, and a replay submits that list.
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Copy, HomeMemory } from "../homes.ts";
import type { Captured, RecordingDevice } from "../step_recorder.ts";
import { Arena } from "./arena.ts";
import type { WebGpuBackend } from "./backend.ts";
import { CommandList } from "./command_list.ts";
import { runCopies } from "./copies.ts";

const UNIFORM = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;

export class WebGpuRecording implements RecordingDevice<GPUBuffer> {
  readonly memory: HomeMemory<GPUBuffer>;
  readonly #backend: WebGpuBackend;
  readonly #arena: Arena;

  constructor(backend: WebGpuBackend) {
    this.memory = homeMemory(backend);
    this.#backend = backend;
    this.#arena = new Arena(backend.pool, backend.limits);
  }

  place(tensor: TensorInfo): GPUBuffer {
    return this.#backend.buffer(tensor);
  }

  capture(body: () => readonly GPUBuffer[]): Captured {
    const backend = this.#backend, { bufferManager } = backend;
    backend.submitAll();
    const list = new CommandList(backend, (bytes) => bufferManager.acquireBuffer(bytes, UNIFORM));
    this.#arena.during(() => backend.diverted(list, body));
    list.finish();
    return (bring) =>
      backend.errors.guarded(() => {
        backend.submitAll();
        bring();
        backend.pool.noteAllInUse();
        list.replay();
      });
  }

  copyAll(copies: readonly Copy<GPUBuffer>[]): void {
    runCopies(this.#backend, copies);
  }

  dispose(): void {
    this.#arena.dispose();
  }
}

function homeMemory(backend: WebGpuBackend): HomeMemory<GPUBuffer> {
  const { bufferManager, pool, queue, tensorMap } = backend;
  return {
    place: (tensor) => backend.buffer(tensor),
    found: (dataId) => (tensorMap.get(dataId).resource ?? undefined) as GPUBuffer | undefined,
    move: (dataId, resource) => Object.assign(tensorMap.get(dataId), { resource, values: null }),
    takeLike: ({ size, usage }) => bufferManager.acquireBuffer(size, usage),
    release: (buffer) => bufferManager.releaseBuffer(buffer),
    own: (buffer, owner) => pool.own(buffer, owner),
    disown: (buffer) => pool.disown(buffer),
    countIdle: ({ size }, change) => pool.addIdle(change * size),
    copy: (copy) => backend.copy(copy),
    upload: (tensor, buffer) =>
      queue.writeBuffer(buffer, 0, hostValues(tensor, tensorMap.get(tensor.dataId).values)),
  };
}

/** A tensor's values as the device has them. */
function hostValues(
  { dtype }: TensorInfo,
  values: unknown,
): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  const numbers = values as ArrayLike<number>;
  return dtype === "float32" ? new Float32Array(numbers) : new Int32Array(numbers);
}
