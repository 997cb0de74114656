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
import type { Copy } from "../homes.ts";
import { KernelScope } from "../kernel_scope.ts";
import { StepRecorder } from "../step_recorder.ts";
import { BufferPool } from "./buffer_pool.ts";
import type { CommandList } from "./command_list.ts";
import { compileAhead } from "./compile_ahead.ts";
import { type AdapterDescription, type LimitName, openDevice, workgroupSize } from "./device.ts";
import { DeviceErrors } from "./device_errors.ts";
import { type CallSink, type Dispatch, Dispatcher } from "./dispatcher.ts";
import { HalfStorage } from "./half_storage.ts";
import { Pipelines } from "./pipelines.ts";
import type { Program } from "./program.ts";
import { WebGpuRecording } from "./recorder.ts";
import { registerKernels } from "./register.ts";
import { TensorSizeError } from "./tensor_size.ts";
import { encodingInto, internalsOf } from "./tfjs_internals.ts";

/** Name of the backend in tfjs's registry. */
export const WEBGPU_BACKEND = "pdarts-webgpu";

const STORAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

export class WebGpuBackend extends WebGPUBackend {
  readonly limits: AdapterDescription["limits"];
  /** The account of its buffers. */
  readonly pool: BufferPool;
  /** What the device reports. */
  readonly errors: DeviceErrors;
  /** Its compiled programs. */
  readonly pipelines: Pipelines;
  /** Invocations of a workgroup, where a program does not fix them. */
  readonly workgroup: number;
  /** Lanes of a subgroup, at most; 0 where kernels are to use none. */
  readonly subgroupSize: number;
  /** Tensors that are kept as half floats. */
  readonly halves: HalfStorage;
  /** Tensors that the running kernel makes. */
  readonly scope = new KernelScope((dataId) => super.disposeData(dataId));
  readonly #dispatcher: Dispatcher;
  #sink: CallSink;

  constructor(device: GPUDevice, info: GPUAdapterInfo, limits: AdapterDescription["limits"]) {
    super(device, info);
    this.limits = limits;
    this.workgroup = workgroupSize(limits, info);
    this.halves = new HalfStorage(this, { on: device.features.has("shader-f16") });
    this.subgroupSize = device.features.has("subgroups") ? info.subgroupMaxSize : 0;
    this.errors = new DeviceErrors(device);
    this.pipelines = new Pipelines({
      device,
      workgroup: this.workgroup,
      refused: (...why) => this.errors.refused(...why),
    });
    this.#sink = this.#dispatcher = new Dispatcher({
      device,
      queue: device.queue,
      pipelines: this.pipelines,
      pass: () => this.#pass(),
      submit: () => this.submitAll(),
    });
    this.pool = new BufferPool(this.bufferManager, ({ bytes }) => {
      this.errors.throwLost();
      this.#checkSize(bytes);
    });
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

  #pass(): GPUComputePassEncoder {
    this.ensureCommandEncoderReady();
    const inner = internalsOf(this);
    return inner.computePassEncoder ??= inner.commandEncoder!.beginComputePass();
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
    if (internalsOf(this).commandEncoder) this.submitQueue();
  }

  /** Submits, and waits until the device is done. @throws {BackendError} If something failed. */
  async finish(): Promise<void> {
    this.submitAll();
    await this.errors.guardedResult(this.queue.onSubmittedWorkDone());
  }

  /** Copies a buffer's values to another of its size, after what is encoded, and submits. */
  copy({ from, to }: Copy<GPUBuffer>): void {
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    internalsOf(this).commandEncoder!.copyBufferToBuffer(from, 0, to, 0, to.size);
    this.submitQueue();
  }

  /** Runs `body`, whose calls of our programs go to `sink`; within another such `body`, to that one's. */
  sending<T>(sink: CallSink, body: () => T): T {
    if (this.#sink !== this.#dispatcher) return body();
    this.#sink = sink;
    try {
      return body();
    } finally {
      this.#sink = this.#dispatcher;
    }
  }

  /** Runs `body`, all of whose calls, tfjs's own too, go to a list and not to the device. */
  diverted<T>(list: CommandList, body: () => T): T {
    return encodingInto(this, list.pass(), () => this.sending(list, body));
  }

  /** Makes a call of a program. */
  run(program: Program, call: Dispatch): void {
    for (const binding of call.buffers) {
      if (binding instanceof GPUBuffer) this.#checkBinding(binding.size);
    }
    if (call.invocations === 0) return;
    this.errors.called(program, call);
    this.#sink.take(program, call);
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
    this.scope.count(info.dataId, 1);
    return info;
  }

  override incRef(dataId: tf.DataId): void {
    super.incRef(dataId);
    this.scope.count(dataId, 1);
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    this.scope.count(dataId, -1);
    return super.disposeData(dataId, force);
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

  override uploadToGPU(dataId: tf.DataId): void {
    this.errors.guarded(() => {
      this.halves.widen(dataId);
      super.uploadToGPU(dataId);
    });
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
    this.halves.widen(dataId);
    const data = this.tensorMap.get(dataId);
    const values = await this.errors.guardedResult(super.read(dataId));
    // tfjs keeps what was read, but replays change an owned buffer's values in place.
    if (this.pool.isOwned(data.resource as GPUBuffer)) Object.assign(data, { values: null });
    return values;
  }

  /** Bytes of tensors and scratch, once tensors that wait for a submit are gone. */
  usage(): BackendMemory {
    this.submitAll();
    return this.pool.usage();
  }

  override dispose(): void {
    this.errors.close();
    this.#dispatcher.close();
    super.dispose();
    this.device.destroy();
  }
}

/**
 * Starts the WebGPU backend and makes it tfjs's current one.
 *
 * @param limits Smaller limits than the adapter's to work within, for tests.
 * @throws {BackendError} If there is no adapter, or it gives no device.
 */
export async function startWebGpuBackend(
  { adapter = "high-performance", subgroups, storage }: BackendOptions = {},
  limits: Partial<Record<LimitName, number>> = {},
): Promise<Backend> {
  const { device, info, description } = await openDevice(adapter, { limits, subgroups, storage });
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
    createRecorder: () => new StepRecorder(new WebGpuRecording(backend)),
    compileAhead: (body, onProgress) => compileAhead(backend, body, { adapter, onProgress }),
    close: () => {
      if (tf.findBackend(WEBGPU_BACKEND) === backend) tf.removeBackend(WEBGPU_BACKEND);
    },
  };
}
