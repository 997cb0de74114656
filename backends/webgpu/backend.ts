/**
 * The WebGPU backend: tfjs-backend-webgpu on a device of our own making, with our fused kernels in WGSL.
 * Any kernel not listed in register.ts is tfjs-backend-webgpu's.
 */

import "@tensorflow/tfjs-backend-webgpu";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import {
  type Backend,
  BackendError,
  type BackendMemory,
  type BackendOptions,
  OutOfMemoryError,
} from "../contract.ts";
import { type AdapterDescription, openDevice } from "./device.ts";
import { type Dispatch, Dispatcher } from "./dispatcher.ts";
import type { Program } from "./program.ts";
import { registerKernels } from "./register.ts";

/** Name of the backend in tfjs's registry. */
export const WEBGPU_BACKEND = "pdarts-webgpu";

const STORAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

export class WebGpuBackend extends WebGPUBackend {
  readonly limits: AdapterDescription["limits"];
  readonly #dispatcher: Dispatcher;
  #peak = 0;
  /** The first error that the device reported, and the call encoded last before it. */
  #failure: string | undefined;
  #last: { program: Program; call: Dispatch } | undefined;

  constructor(device: GPUDevice, info: GPUAdapterInfo, limits: AdapterDescription["limits"]) {
    super(device, info);
    this.limits = limits;
    this.#dispatcher = new Dispatcher({
      device,
      queue: device.queue,
      pass: () => this.#pass(),
      submit: () => {
        this.endComputePassEncoder();
        if (this.#inner.commandEncoder) this.submitQueue();
      },
      refused: ({ name }, reason) => {
        this.#failure = `WebGPU program ${name} does not compile: ${oneLine(reason)}`;
      },
    });
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#fail((event as GPUUncapturedErrorEvent).error.message);
    });
    device.lost.then(({ reason, message }) => {
      if (reason !== "destroyed") this.#fail(`the device was lost: ${message}`);
    });
    const { bufferManager } = this, acquire = bufferManager.acquireBuffer.bind(bufferManager);
    bufferManager.acquireBuffer = (size, ...options) => {
      this.#checkSize(size);
      const buffer = acquire(size, ...options);
      this.#peak = Math.max(this.#peak, bufferManager.numBytesUsed);
      return buffer;
    };
  }

  #fail(reason: string): void {
    const { program, call } = this.#last ?? {};
    const values = Object.entries(call?.uniforms ?? {}).map(([name, value]) => `${name} ${value}`);
    const where = program ? ` at or before ${program.name} (${values.join(", ")})` : "";
    this.#failure ??= `WebGPU failed${where}: ${oneLine(reason)}`;
  }

  #checkSize(bytes: number): void {
    const limit = this.limits.maxBufferSize;
    if (bytes <= limit) return;
    const bytesInUse = this.bufferManager.numBytesUsed;
    throw new OutOfMemoryError("webgpu", { bytesAsked: bytes, bytesInUse, limit });
  }

  /** Fields that tfjs declares private. */
  get #inner(): TfjsInternals {
    return this as unknown as TfjsInternals;
  }

  #pass(): GPUComputePassEncoder {
    this.ensureCommandEncoderReady();
    return this.#inner.computePassEncoder ??= this.#inner.commandEncoder!.beginComputePass();
  }

  override submitQueue(): void {
    this.#dispatcher.flushUniforms();
    super.submitQueue();
  }

  /** Encodes a call of a program. */
  run(program: Program, call: Dispatch): void {
    this.#last = { program, call };
    this.#dispatcher.dispatch(program, call);
  }

  /** A new float32 tensor of undefined values, on the device. */
  allocate(shape: number[]): tf.TensorInfo {
    this.#checkSize(4 * tf.util.sizeFromShape(shape));
    const info = this.makeTensorInfo(shape, "float32");
    this.uploadToGPU(info.dataId);
    return info;
  }

  /** Another tensor with the same values. */
  share(info: tf.TensorInfo): tf.TensorInfo {
    this.incRef(info.dataId);
    return { dataId: info.dataId, shape: info.shape, dtype: info.dtype };
  }

  /** A tensor's buffer, uploaded if need be. */
  buffer(info: tf.TensorInfo): GPUBuffer {
    this.uploadToGPU(info.dataId);
    return this.tensorMap.get(info.dataId).resource as GPUBuffer;
  }

  /** A buffer for intermediate results; give it back with {@linkcode releaseScratch}. */
  takeScratch(bytes: number): GPUBuffer {
    return this.bufferManager.acquireBuffer(Math.max(16, bytes), STORAGE);
  }

  /** Gives an intermediate buffer back; what is encoded already may still use it. */
  releaseScratch(buffer: GPUBuffer): void {
    this.bufferManager.releaseBuffer(buffer);
  }

  override async read(dataId: tf.DataId): Promise<tf.backend_util.BackendValues> {
    const values = await super.read(dataId);
    this.#throwFailure();
    return values;
  }

  #throwFailure(): void {
    const failure = this.#failure;
    if (!failure) return;
    this.#failure = undefined;
    throw new BackendError("webgpu", failure);
  }

  /** Bytes of tensors and scratch, once tensors that wait for a submit are gone. */
  usage(): BackendMemory {
    this.endComputePassEncoder();
    if (this.#inner.commandEncoder) this.submitQueue();
    const { numBytesUsed: current, numBytesAllocated: reserved } = this.bufferManager;
    return { current, peak: this.#peak, reserved };
  }

  resetPeak(): void {
    this.#peak = this.bufferManager.numBytesUsed;
  }

  override dispose(): void {
    this.#dispatcher.close();
    super.dispose();
    this.device.destroy();
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

interface TfjsInternals {
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
}

/**
 * Starts the WebGPU backend and makes it tfjs's current one.
 *
 * @throws {BackendError} If there is no adapter, or it gives no device.
 */
export async function startWebGpuBackend(options: BackendOptions = {}): Promise<Backend> {
  const { device, info, description } = await openDevice(options.adapter ?? "high-performance");
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  const backend = new WebGpuBackend(device, info, description.limits);
  if (tf.findBackend(WEBGPU_BACKEND)) tf.removeBackend(WEBGPU_BACKEND);
  registerKernels(WEBGPU_BACKEND);
  tf.registerBackend(WEBGPU_BACKEND, () => backend, 2);
  await tf.setBackend(WEBGPU_BACKEND);
  return {
    name: "webgpu",
    tfjsName: WEBGPU_BACKEND,
    description: `webgpu, ${description.name}${description.software ? " (software)" : ""}`,
    memory: () => backend.usage(),
    resetPeak: () => backend.resetPeak(),
    close: () => {
      if (tf.findBackend(WEBGPU_BACKEND) === backend) tf.removeBackend(WEBGPU_BACKEND);
    },
  };
}
