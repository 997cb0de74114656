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
import { hostNumber } from "../host_number.ts";
import { BufferPool } from "./buffer_pool.ts";
import type { CommandList } from "./command_list.ts";
import { type AdapterDescription, type LimitName, openDevice } from "./device.ts";
import { type Dispatch, Dispatcher } from "./dispatcher.ts";
import type { Program } from "./program.ts";
import { WebGpuRecorder } from "./recorder.ts";
import { registerKernels } from "./register.ts";
import { TensorSizeError } from "./tensor_size.ts";

/** Name of the backend in tfjs's registry. */
export const WEBGPU_BACKEND = "pdarts-webgpu";

const STORAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

export class WebGpuBackend extends WebGPUBackend {
  readonly limits: AdapterDescription["limits"];
  /** The account of its buffers. */
  readonly pool: BufferPool;
  readonly #dispatcher: Dispatcher;
  /** The first error that the device reported, and the call encoded last before it. */
  #failure: string | undefined;
  #last: { program: Program; call: Dispatch } | undefined;
  /** Why the device is gone; every later call fails. */
  #lost: string | undefined;
  #disposed = false;
  /** The tensors that the running kernel has made so far. */
  #made: tf.DataId[] | undefined;

  constructor(device: GPUDevice, info: GPUAdapterInfo, limits: AdapterDescription["limits"]) {
    super(device, info);
    this.limits = limits;
    this.#dispatcher = new Dispatcher({
      device,
      queue: device.queue,
      pass: () => this.#pass(),
      submit: () => this.submitAll(),
      refused: ({ name }, reason) => {
        this.#failure = `WebGPU program ${name} does not compile: ${oneLine(reason)}`;
      },
    });
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#failure ??= this.#sentence((event as GPUUncapturedErrorEvent).error.message);
    });
    device.lost.then(({ reason, message }) => {
      if (this.#disposed) return;
      this.#lost = this.#sentence(`the device was lost (${message || reason})`);
    });
    this.pool = new BufferPool(this.bufferManager, ({ bytes }) => {
      this.#throwLost();
      this.#checkSize(bytes);
    });
  }

  /** A failure, with the call that was encoded last. */
  #sentence(reason: string): string {
    const { program, call } = this.#last ?? {};
    const values = Object.entries(call?.uniforms ?? {})
      .map(([name, value]) => `${name} ${hostNumber(value)}`);
    const where = program ? ` at or before ${program.name} (${values.join(", ")})` : "";
    return `WebGPU failed${where}: ${oneLine(reason)}`;
  }

  #checkSize(bytes: number): void {
    const { maxBufferSize: limit } = this.limits;
    if (bytes <= limit) return;
    const bytesInUse = this.bufferManager.numBytesUsed;
    throw new OutOfMemoryError("webgpu", { bytesAsked: bytes, bytesInUse, limit });
  }

  /** Refuses what is bound whole and exceeds a binding; slices.ts binds larger tensors in parts. */
  #checkBinding(bytes: number): void {
    const { maxStorageBufferBindingSize: limit } = this.limits;
    if (bytes > limit) throw new TensorSizeError({ bytes, limit });
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

  /** Small tensors stay on the device too: a read back within a step costs more than it saves. */
  override shouldExecuteOnCPU(): boolean {
    return false;
  }

  /** Submits what is encoded. */
  submitAll(): void {
    this.endComputePassEncoder();
    if (this.#inner.commandEncoder) this.submitQueue();
  }

  /** Copies a buffer's values to another of its size, after what is encoded, and submits. */
  copy(from: GPUBuffer, to: GPUBuffer): void {
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    this.#inner.commandEncoder!.copyBufferToBuffer(from, 0, to, 0, to.size);
    this.submitQueue();
  }

  /** Runs `body`, all of whose calls, tfjs's own too, go to a list and not to the device. */
  diverted<T>(list: CommandList, body: () => T): T {
    const inner = this.#inner, { recordAndSubmit } = inner;
    this.#dispatcher.sink = list;
    inner.recordAndSubmit = (...call) => {
      inner.computePassEncoder = list.pass();
      try {
        recordAndSubmit.apply(this, call);
      } finally {
        // A list keeps its uniforms, and is no reason to put off the disposal of tensors.
        Object.assign(inner, {
          computePassEncoder: null,
          dispatchCountInPass: 0,
          uniformPendingDisposal: [],
          commandQueueOwnedIds: new WeakSet(),
        });
      }
    };
    try {
      return body();
    } finally {
      this.#dispatcher.sink = undefined;
      inner.recordAndSubmit = recordAndSubmit;
    }
  }

  /** Encodes a call of a program. */
  run(program: Program, call: Dispatch): void {
    for (const binding of call.buffers) {
      if (binding instanceof GPUBuffer) this.#checkBinding(binding.size);
    }
    this.#last = { program, call };
    this.#dispatcher.dispatch(program, call);
  }

  /** tfjs's own kernels bind whole tensors. */
  override runWebGPUProgram(...call: Parameters<WebGPUBackend["runWebGPUProgram"]>): tf.TensorInfo {
    const [{ outputShape }, inputs] = call;
    for (const shape of [outputShape, ...inputs.map((input) => input.shape)]) {
      this.#checkBinding(4 * tf.util.sizeFromShape(shape));
    }
    return super.runWebGPUProgram(...call);
  }

  /** A new float32 tensor of undefined values, on the device. */
  allocate(shape: number[]): tf.TensorInfo {
    const info = this.makeTensorInfo(shape, "float32");
    this.uploadToGPU(info.dataId);
    return info;
  }

  override makeTensorInfo(
    ...values: Parameters<WebGPUBackend["makeTensorInfo"]>
  ): ReturnType<WebGPUBackend["makeTensorInfo"]> {
    const info = super.makeTensorInfo(...values);
    this.#made?.push(info.dataId);
    return info;
  }

  /** Runs a kernel; one that throws leaves no tensor behind. */
  undoing<T>(kernel: () => T): T {
    const made: tf.DataId[] = this.#made = [];
    try {
      return kernel();
    } catch (error) {
      for (const dataId of made) if (this.refCount(dataId) > 0) this.disposeData(dataId);
      throw error;
    } finally {
      this.#made = undefined;
    }
  }

  /** Another tensor with the same values. */
  share(info: tf.TensorInfo): tf.TensorInfo {
    this.incRef(info.dataId);
    this.#made?.push(info.dataId);
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

  override uploadToGPU(dataId: tf.DataId): void {
    this.guarded(() => super.uploadToGPU(dataId));
  }

  /** Runs calls of WebGPU, whose errors become sentences. */
  guarded(calls: () => void): void {
    this.#throwLost();
    try {
      calls();
    } catch (error) {
      throw this.#worded(error);
    }
  }

  /** Only what is on the host: a device's values cannot be waited for. */
  override readSync(dataId: tf.DataId): tf.backend_util.BackendValues {
    const { values, complexTensorInfos, dtype } = this.tensorMap.get(dataId);
    if (values || complexTensorInfos || dtype === "string") return super.readSync(dataId);
    throw new BackendError(
      "webgpu",
      "Cannot read webgpu's tensors at once: await data() or array()",
    );
  }

  override async read(dataId: tf.DataId): Promise<tf.backend_util.BackendValues> {
    try {
      const data = this.tensorMap.get(dataId), values = await super.read(dataId);
      this.#throwFailure();
      // tfjs keeps what was read, but replays change an owned buffer's values in place.
      if (this.pool.isOwned(data.resource as GPUBuffer)) Object.assign(data, { values: null });
      return values;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      // What the device has to say, its loss above all, follows the call that fails for it.
      await new Promise((resolve) => setTimeout(resolve));
      this.#throwFailure();
      throw this.#worded(error);
    }
  }

  /** The error of a WebGPU call, in a sentence. */
  #worded(error: unknown): unknown {
    if (!(error instanceof DOMException)) return error;
    const reason = `${error.message}; the device may be lost or out of memory`;
    return new BackendError("webgpu", this.#sentence(reason), { cause: error });
  }

  #throwFailure(): void {
    this.#throwLost();
    const failure = this.#failure;
    if (!failure) return;
    this.#failure = undefined;
    throw new BackendError("webgpu", failure);
  }

  #throwLost(): void {
    if (this.#lost) throw new BackendError("webgpu", this.#lost);
  }

  /** Bytes of tensors and scratch, once tensors that wait for a submit are gone. */
  usage(): BackendMemory {
    this.submitAll();
    return this.pool.usage();
  }

  override dispose(): void {
    this.#disposed = true;
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
  dispatchCountInPass: number;
  uniformPendingDisposal: GPUBuffer[];
  commandQueueOwnedIds: WeakSet<tf.DataId>;
  recordAndSubmit(...call: unknown[]): void;
}

/**
 * Starts the WebGPU backend and makes it tfjs's current one.
 *
 * @param limits Smaller limits than the adapter's to work within, for tests.
 * @throws {BackendError} If there is no adapter, or it gives no device.
 */
export async function startWebGpuBackend(
  { adapter = "high-performance" }: BackendOptions = {},
  limits: Partial<Record<LimitName, number>> = {},
): Promise<Backend> {
  const { device, info, description } = await openDevice(adapter, limits);
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
    resetPeak: () => backend.pool.resetPeak(),
    createRecorder: () => new WebGpuRecorder(backend),
    close: () => {
      if (tf.findBackend(WEBGPU_BACKEND) === backend) tf.removeBackend(WEBGPU_BACKEND);
    },
  };
}
