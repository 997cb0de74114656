/**
 * The CPU backend: tfjs-backend-cpu with its tensors in one shared WebAssembly memory, and our fused
 * kernels in SIMD WebAssembly on all threads. Any kernel not listed in register.ts is
 * tfjs-backend-cpu's, working on views of the same memory.
 *
 * Invariant: a view handed to a user (`dataSync`) is a copy, since blocks are reused.
 */

import "@tensorflow/tfjs-backend-cpu";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import {
  type Backend,
  BackendError,
  type BackendMemory,
  type BackendOptions,
} from "../contract.ts";
import { CpuKernelScope } from "./kernel_scope.ts";
import { Arena, type FloatView } from "./memory.ts";
import { MAX_THREADS } from "./protocol.ts";
import type { KernelProfile, KernelWork } from "./profile.ts";
import { WorkBlocks } from "./records.ts";
import { registerKernels } from "./register.ts";
import { type BlockOwner, type DataId, type ScaledTerm, TensorBlock } from "./tensor_data.ts";
import { Threads } from "./threads.ts";
import type { CompiledKernels } from "./variants.ts";

/** Name of the backend in tfjs's registry. */
export const CPU_BACKEND = "pdarts-cpu";

/** Bytes of a page of memory. */
export const PAGE = 65536;

export class CpuBackend extends MathBackendCPU implements BlockOwner {
  readonly arena: Arena;
  readonly threads: Threads;
  /** Collects kernel calls while set. */
  profile: KernelProfile | undefined;
  /** Whatever the running kernel makes and frees. */
  readonly scope = new CpuKernelScope({
    release: (dataId) => this.#release(dataId),
    free: (address) => this.arena.free(address),
  });

  constructor(arena: Arena, threads: Threads) {
    super();
    this.arena = arena;
    this.threads = threads;
  }

  override write(
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
  ): DataId {
    const dataId = {};
    this.data.set(dataId, this.#block(values, shape, { dtype, refCount: 1 }));
    this.scope.count(dataId, 1);
    return dataId;
  }

  override move(
    dataId: DataId,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    this.data.set(dataId, this.#block(values, shape, { dtype, refCount }));
  }

  #block(
    values: tf.backend_util.BackendValues | null | undefined,
    shape: number[],
    { dtype, refCount }: { dtype: tf.DataType; refCount: number },
  ): TensorBlock {
    const elements = tf.util.sizeFromShape(shape);
    const placed = dtype !== "string" && dtype !== "complex64" && values != null;
    const block = placed
      ? new TensorBlock(this, {
        dtype,
        elements: values.length,
        address: this.#place(values, dtype),
      })
      : new TensorBlock(this, { dtype, elements, loose: values ?? undefined });
    block.refCount = refCount;
    return block;
  }

  override readSync(dataId: DataId): tf.backend_util.BackendValues {
    const block = this.#get(dataId);
    if (block.address === undefined) return super.readSync(dataId);
    return this.view(block.address, block.dtype, block.elements).slice();
  }

  override incRef(dataId: DataId): void {
    super.incRef(dataId);
    this.scope.count(dataId, 1);
  }

  override disposeData(dataId: DataId, force = false): boolean {
    this.scope.count(dataId, -1);
    return this.#release(dataId, force);
  }

  #release(dataId: DataId, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const block = this.#get(dataId);
    const { scaled, allocated } = block;
    if (!super.disposeData(dataId, force)) return false;
    if (scaled) this.#releaseBases(scaled);
    if (allocated !== undefined) this.scope.free(allocated);
    return true;
  }

  #releaseBases(terms: readonly ScaledTerm[]): void {
    const engine = tf.engine();
    for (const { base } of terms) {
      if (this.#release(base) && engine.state.tensorInfo.has(base)) {
        engine.removeDataId(base, this);
      }
    }
  }

  #get(dataId: DataId): TensorBlock {
    return this.data.get(dataId) as unknown as TensorBlock;
  }

  /** Runs a kernel on all threads; `work` says what it has to do, for profiles. */
  run(
    kernel: string,
    args: number,
    { work, ...options }: { parts: number; scratchBytes?: number; work: () => KernelWork },
  ): void {
    const start = this.profile ? performance.now() : 0;
    this.threads.run(kernel, args, options);
    this.profile?.add(work(), performance.now() - start);
  }

  /** A new float32 tensor whose values are whatever its block held. */
  allocate(shape: number[]): tf.TensorInfo {
    const elements = tf.util.sizeFromShape(shape), dataId = {};
    const address = this.arena.allocate(4 * elements);
    this.data.set(dataId, new TensorBlock(this, { dtype: "float32", elements, address }));
    this.scope.count(dataId, 1);
    return { dataId, shape, dtype: "float32" };
  }

  /** Another tensor with the same values. */
  share(info: tf.TensorInfo): tf.TensorInfo {
    this.incRef(info.dataId);
    return { dataId: info.dataId, shape: info.shape, dtype: info.dtype };
  }

  /** x scaled by channel, evaluated only if somebody asks for its values. */
  scaledView(x: tf.TensorInfo, scale: Float32Array): tf.TensorInfo {
    const terms = this.scaledTerms(x) ?? [{ base: x.dataId }];
    const scaled = terms.map((term): ScaledTerm => ({
      base: term.base,
      scale: "scale" in term ? scale.map((factor, c) => factor * term.scale[c]) : scale,
    }));
    return this.#unevaluated(x.shape, scaled);
  }

  /** The sum of two unevaluated tensors, unevaluated; undefined if one of them has values. */
  scaledSum(a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo | undefined {
    const left = this.scaledTerms(a), right = this.scaledTerms(b);
    if (!left || !right || !tf.util.arraysEqual(a.shape, b.shape)) return undefined;
    return this.#unevaluated(a.shape, [...left, ...right]);
  }

  #unevaluated(shape: number[], scaled: readonly ScaledTerm[]): tf.TensorInfo {
    for (const { base } of scaled) super.incRef(base);
    const dataId = {}, elements = tf.util.sizeFromShape(shape);
    this.data.set(dataId, new TensorBlock(this, { dtype: "float32", elements, scaled }));
    this.scope.count(dataId, 1);
    return { dataId, shape, dtype: "float32" };
  }

  /**
   * Address of a numeric tensor's values.
   *
   * @throws {BackendError} If they are not of the tensor's dtype, or have no place in the memory.
   */
  address(info: tf.TensorInfo): number {
    const { address, dtype } = this.#get(info.dataId);
    if (address === undefined || dtype !== info.dtype) {
      throw new BackendError("cpu", `A ${info.dtype} tensor of ${dtype} values has no address`);
    }
    return address;
  }

  /** The summands of an unevaluated tensor, for kernels that add them up themselves. */
  scaledTerms(info: tf.TensorInfo): readonly ScaledTerm[] | undefined {
    return this.#get(info.dataId).scaled;
  }

  /** Address of a summand's values. */
  termAddress({ base }: ScaledTerm): number {
    return this.#get(base).address!;
  }

  /** View of a float32 tensor's values; valid until the tensor is disposed. */
  floats(info: tf.TensorInfo): FloatView {
    return this.arena.floats(this.address(info), tf.util.sizeFromShape(info.shape));
  }

  view(address: number, dtype: tf.DataType, elements: number): tf.backend_util.TypedArray {
    if (dtype === "float32") return this.arena.floats(address, elements) as Float32Array;
    if (dtype === "int32") return this.arena.ints(address, elements) as Int32Array;
    return this.arena.bytes(address, elements) as Uint8Array;
  }

  #place(values: tf.backend_util.BackendValues, dtype: tf.DataType): number {
    const bytes = values.length * tf.util.bytesPerElement(dtype);
    const address = this.arena.allocate(bytes);
    this.view(address, dtype, values.length).set(values as unknown as ArrayLike<number>);
    return address;
  }

  evaluate(terms: readonly ScaledTerm[], elements: number): number {
    const channels = terms[0].scale.length, { scaleChannels } = this.threads.kernels;
    using work = new WorkBlocks(this.arena);
    const factors = work.take(4 * channels), address = this.arena.allocate(4 * elements);
    terms.forEach((term, index) => {
      this.arena.floats(factors, channels).set(term.scale);
      const from = this.termAddress(term), add = Number(index > 0);
      scaleChannels(from, address, factors, elements / channels, channels, add);
    });
    this.#releaseBases(terms);
    return address;
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: false, reasons: [] };
  }

  override dispose(): void {
    this.threads.close();
  }
}

/** What the backend starts on. */
export interface KernelHost {
  /** The kernels. */
  readonly kernels: CompiledKernels;
  /** Of exactly the size that they were compiled for; shared, if there are several threads. */
  readonly memory: WebAssembly.Memory;
  /** The module of a thread; `worker.ts` by default, from which a bundler makes a file elsewhere. */
  readonly worker?: URL;
}

/**
 * Starts the CPU backend on kernels that are there, and makes it tfjs's current one.
 *
 * @throws {RangeError} If the number of threads is not an integer from 1 to 64, or the memory limit
 * is not above 0.
 * @throws {BackendError} If threads cannot be started.
 */
export async function startOnKernels(
  { kernels: { module, relaxed, wide }, memory, worker }: KernelHost,
  options: Pick<BackendOptions, "threads" | "memoryLimit"> = {},
): Promise<Backend> {
  const count = options.threads ?? Math.min(navigator.hardwareConcurrency, MAX_THREADS);
  if (!Number.isInteger(count) || count < 1 || count > MAX_THREADS) {
    throw new RangeError(`Cannot start CPU threads: want 1 to ${MAX_THREADS}, got ${count}`);
  }
  const { memoryLimit = Infinity } = options;
  if (!(memoryLimit > 0)) {
    throw new RangeError(`Cannot limit CPU memory: want bytes above 0, got ${memoryLimit}`);
  }
  // The last page is not used, so that sums of addresses stay in 32 bits.
  const arena = new Arena(memory, Math.min(memoryLimit, memory.buffer.byteLength - PAGE));
  const threads = await Threads.start(arena, { module, count, worker });
  if (tf.findBackend(CPU_BACKEND)) tf.removeBackend(CPU_BACKEND);
  const backend = new CpuBackend(arena, threads);
  registerKernels(CPU_BACKEND);
  tf.registerBackend(CPU_BACKEND, () => backend, 2);
  await tf.setBackend(CPU_BACKEND);
  return {
    name: "cpu",
    tfjsName: CPU_BACKEND,
    description: `cpu, ${count} thread${count === 1 ? "" : "s"}, ` +
      `${relaxed ? "relaxed " : ""}SIMD WebAssembly` + (wide ? ", wide tiles" : ""),
    memory: (): BackendMemory => arena.usage,
    resetPeak: () => arena.resetPeak(),
    close: () => {
      // One that was started later stays.
      if (tf.findBackend(CPU_BACKEND) === backend) tf.removeBackend(CPU_BACKEND);
    },
  };
}
