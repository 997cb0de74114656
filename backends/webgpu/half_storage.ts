/**
 * Tensors whose values are kept as half floats, where `storage` asks for it: results of branches, which a
 * step keeps until their gradients. All arithmetic, sums and parameters stay float32. A result beyond
 * 65504 becomes infinite, and so does the loss, which ends a search.
 *
 * Invariant: whoever asks for such a tensor's buffer in the ordinary way gets floats: it is widened then,
 * and is a tensor of floats from there on. Only kernels that read halves ask for what is stored.
 */

import { type DataId, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WebGpuBackend } from "./backend.ts";
import { program, type StoredForm, storedProgram } from "./program.ts";
import { slicesOf, type StoredBuffer } from "./slices.ts";
import source from "./wgsl/widen.wgsl" with { type: "text" };

const WIDEN = storedProgram(program("halves to floats", source), 1).halves;

export class HalfStorage {
  readonly #backend: WebGpuBackend;
  readonly #on: boolean;
  readonly #halves = new WeakSet<DataId>();

  /** @param options.on Whether results are stored as halves; else as floats. */
  constructor(backend: WebGpuBackend, { on }: { on: boolean }) {
    this.#backend = backend;
    this.#on = on;
  }

  /** A new tensor for a branch's result, of undefined values. */
  allocate(shape: number[]): TensorInfo {
    const backend = this.#backend;
    if (!this.#on) return backend.allocate(shape);
    const buffer = backend.takeScratch(4 * Math.ceil(util.sizeFromShape(shape) / 2));
    const info = backend.makeTensorInfo(shape, "float32");
    backend.tensorMap.get(info.dataId).resource = buffer;
    this.#halves.add(info.dataId);
    return info;
  }

  /** How a tensor is stored. */
  form({ dataId }: TensorInfo): StoredForm {
    return this.#halves.has(dataId) ? "halves" : "floats";
  }

  /** What is stored. */
  stored(info: TensorInfo): StoredBuffer {
    const form = this.form(info), backend = this.#backend;
    if (form === "floats") return { buffer: backend.buffer(info), form };
    return { buffer: backend.tensorMap.get(info.dataId).resource as GPUBuffer, form };
  }

  /** Makes a tensor one of floats. */
  widen(dataId: DataId): void {
    if (!this.#halves.delete(dataId)) return;
    const backend = this.#backend, tensor = backend.tensorMap.get(dataId);
    const elements = util.sizeFromShape(tensor.shape), halves = tensor.resource as GPUBuffer;
    const floats = backend.bufferManager.acquireBuffer(4 * elements, halves.usage);
    const from = { buffer: halves, values: 1, form: "halves" } as const;
    const to = { buffer: floats, values: 1 };
    for (const { length, bind } of slicesOf(backend, { length: elements, tensors: [from, to] })) {
      const buffers = [bind(from), bind(to)];
      backend.run(WIDEN, { buffers, uniforms: { elements: length }, invocations: length });
    }
    tensor.resource = floats;
    backend.releaseScratch(halves);
  }
}
