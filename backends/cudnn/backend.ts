/**
 * The cuDNN backend: tensors on an NVIDIA card, our kernels in CUDA C, dense convolutions by cuDNN. Any
 * kernel not listed in register.ts is tfjs-backend-cpu's, on the host, and counted: see fallback.ts.
 */

import "@tensorflow/tfjs-backend-cpu";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import {
  type Backend,
  BackendError,
  type BackendMemory,
  type BackendOptions,
  ENGINE_CHOICES,
  type Precision,
  PRECISIONS,
} from "../contract.ts";
import { KernelScope } from "../kernel_scope.ts";
import { StepRecorder } from "../step_recorder.ts";
import { Bf16Storage } from "./bf16_storage.ts";
import { CudaCompiler } from "./compiler.ts";
import { Convolutions } from "./convolution.ts";
import type { DenseConvolution } from "./convolution_shape.ts";
import { CudaDevice, type DeviceLimits } from "./device.ts";
import { EngineChoices, engineDevice } from "./engine_choices.ts";
import { loadLibraries } from "./ffi/load.ts";
import { type Launch, Launcher } from "./launcher.ts";
import { DevicePool } from "./memory.ts";
import type { CudaKernel } from "./module.ts";
import { CudnnRecording } from "./recorder.ts";
import { registerKernels } from "./register.ts";
import { Staging } from "./staging.ts";
import type { HostTables } from "./host_tables.ts";
import { arrayFor, bytesOf, DeviceTensor, type Downloader, hostValues } from "./tensor_data.ts";

export type { DenseConvolution } from "./convolution_shape.ts";
export type { Launch } from "./launcher.ts";

/** Name of the backend in tfjs's registry. */
export const CUDNN_BACKEND = "pdarts-cudnn";

export class CudnnBackend extends MathBackendCPU implements Downloader {
  /** What decides how kernels split their work. */
  readonly device: DeviceLimits;
  readonly pool: DevicePool;
  /** How results of branches are kept. */
  readonly results: Bf16Storage;
  /** Calls of kernels on the host since the start, by name. */
  readonly fallbacks = new Map<string, number>();
  /** Where kernels read what they need of the host, while a step is recorded. */
  tables: HostTables | undefined;
  /** Tensors that the running kernel makes. */
  readonly scope = new KernelScope((dataId) => this.#release(dataId));
  readonly #cuda: CudaDevice;
  readonly #launcher: Launcher;
  readonly #staging: Staging;
  readonly #convolutions: Convolutions;
  readonly #resources: DisposableStack;

  /**
   * @param cuda Becomes the backend's, which ends it.
   * @param options The precision, and where the engines measured for convolutions are kept; without,
   *   cuDNN's estimate is taken.
   * @throws {BackendError} If cuDNN refuses to start, or there is no memory to stage uploads in.
   */
  constructor(
    cuda: CudaDevice,
    compiler: CudaCompiler,
    options: { precision: Precision; choices?: EngineChoices },
  ) {
    super();
    // What was made so far is given back where the next thing cannot be had.
    using made = new DisposableStack();
    made.use(cuda);
    this.device = cuda.limits;
    this.results = new Bf16Storage(this, { on: options.precision === "bf16" });
    this.#cuda = cuda;
    this.pool = made.adopt(new DevicePool(cuda), (pool) => pool.close());
    this.#launcher = made.use(new Launcher(cuda, compiler));
    this.#staging = made.use(new Staging(cuda));
    this.#convolutions = made.use(new Convolutions(cuda, this.pool, options));
    this.#resources = made.move();
  }

  /** The account of the card's memory; what uploads come to first is reserved. */
  get usage(): BackendMemory {
    const { usage } = this.pool;
    return { ...usage, reserved: usage.reserved + this.#staging.bytes };
  }

  /** What is behind a tensor. */
  get(dataId: tf.DataId): DeviceTensor {
    return this.data.get(dataId) as unknown as DeviceTensor;
  }

  override write(
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
  ): tf.DataId {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    this.scope.count(dataId, 1);
    return dataId;
  }

  override move(
    dataId: tf.DataId,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    const elements = tf.util.sizeFromShape(shape);
    const tensor = new DeviceTensor(this, { dtype, elements, host: values ?? undefined });
    tensor.refCount = refCount;
    this.data.set(dataId, tensor);
  }

  override incRef(dataId: tf.DataId): void {
    super.incRef(dataId);
    this.scope.count(dataId, 1);
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    this.scope.count(dataId, -1);
    return this.#release(dataId, force);
  }

  #release(dataId: tf.DataId, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const { address } = this.get(dataId);
    if (!super.disposeData(dataId, force)) return false;
    if (address !== undefined && !this.#cuda.closed) this.pool.release(address);
    return true;
  }

  /** A new tensor of undefined values, on the card; a value takes so many bytes. */
  allocate(
    shape: number[],
    dtype: "float32" | "int32" = "float32",
    bytes = 4,
  ): tf.TensorInfo {
    const elements = tf.util.sizeFromShape(shape), dataId = {};
    const address = this.pool.take(bytes * elements);
    this.data.set(dataId, new DeviceTensor(this, { dtype, elements, address }));
    this.scope.count(dataId, 1);
    return { dataId, shape, dtype };
  }

  /** Another tensor with the same values. */
  share(info: tf.TensorInfo): tf.TensorInfo {
    this.incRef(info.dataId);
    return { dataId: info.dataId, shape: info.shape, dtype: info.dtype };
  }

  /**
   * Address of a numeric tensor's values, which are copied to the card, and made floats, if need be.
   *
   * @throws {BackendError} If they are not of the tensor's dtype, or have no place on the card.
   */
  address(info: tf.TensorInfo): bigint {
    const tensor = this.get(info.dataId);
    if (tensor.dtype !== info.dtype || bytesOf(tensor) === 0 && tensor.elements > 0) {
      const reason = `A ${info.dtype} tensor of ${tensor.dtype} values has no address`;
      throw new BackendError("cudnn", reason);
    }
    this.results.widen(tensor);
    return tensor.address ?? this.tables?.placeTensor(tensor) ?? this.#place(tensor);
  }

  #place(tensor: DeviceTensor): bigint {
    const address = this.pool.take(bytesOf(tensor));
    this.upload(hostValues(tensor), address);
    tensor.place(address);
    return address;
  }

  /** Runs `body`, whose kernels read what they need of the host from tables. */
  during(tables: HostTables, body: () => void): void {
    this.tables = tables;
    try {
      body();
    } finally {
      this.tables = undefined;
    }
  }

  /** Copies values on the host to an address; they may change as soon as this returns. */
  upload(values: ArrayBufferView<ArrayBuffer>, address: bigint): void {
    this.#staging.upload(values, address);
  }

  /** Memory for intermediate results; give it back with {@linkcode releaseScratch}. */
  takeScratch(bytes: number): bigint {
    return this.pool.take(bytes);
  }

  /** Gives intermediate memory back; what is launched already may still use it. */
  releaseScratch(address: bigint): void {
    this.pool.release(address);
  }

  /** Launches a kernel; see {@linkcode Launcher.launch}. */
  launch(kernel: CudaKernel, call: Launch): void {
    this.#launcher.launch(kernel, call);
  }

  /** Runs a dense convolution or a gradient of one; see {@linkcode Convolutions.run}. */
  convolution(call: DenseConvolution): void {
    this.#convolutions.run(call);
  }

  /**
   * A copy of a tensor's values, once all work so far has ended.
   *
   * @throws {Error} While a step is recorded: nothing of it has run.
   */
  download(tensor: DeviceTensor): tf.backend_util.TypedArray {
    this.#refuseWhileRecording();
    this.results.widen(tensor);
    this.#cuda.synchronize();
    return this.#copy(tensor, tensor.address!);
  }

  #refuseWhileRecording(): void {
    if (this.tables) throw new Error("Cannot record a step that reads a tensor");
  }

  #copy(tensor: DeviceTensor, address: bigint): tf.backend_util.TypedArray {
    const values = arrayFor(tensor);
    this.#cuda.download(values, address);
    return values;
  }

  override async read(dataId: tf.DataId): Promise<tf.backend_util.BackendValues> {
    const tensor = this.get(dataId);
    if (tensor.address === undefined) return this.readSync(dataId);
    this.#refuseWhileRecording();
    this.#cuda.requireOpen();
    this.results.widen(tensor);
    // Until the card gets there, the tensor may be disposed of, or a replay change its values in place.
    const bytes = bytesOf(tensor), copy = this.pool.take(bytes);
    try {
      this.#cuda.copy({ from: tensor.address, to: copy }, bytes);
      await this.#cuda.reached();
      return this.#copy(tensor, copy);
    } finally {
      if (!this.#cuda.closed) this.pool.release(copy);
    }
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: false, reasons: [] };
  }

  override dispose(): void {
    this.#resources.dispose();
  }
}

/** As people write them. */
const PRECISION_NAMES: Readonly<Record<Precision, string>> = {
  tf32: "TF32 convolutions",
  fp32: "float32 convolutions",
  bf16: "TF32 convolutions, results kept as bf16",
};

/**
 * Starts the cuDNN backend and makes it tfjs's current one.
 *
 * @param libraries NVIDIA's, opened; by default those that are found.
 * @throws {BackendError} If a library is missing or refuses to start, or there is no card.
 */
export async function startCudnnBackend(
  options: BackendOptions = {},
  libraries = loadLibraries(),
): Promise<Backend> {
  const cuda = new CudaDevice(libraries);
  const { precision = PRECISIONS[0], engines = ENGINE_CHOICES[0] } = options;
  const cacheDir = options.cacheDir ?? `${import.meta.dirname}/../../.cache`;
  const compiler = new CudaCompiler(libraries.nvrtc, cuda, `${cacheDir}/cuda`);
  const choices = engines === "measured"
    ? new EngineChoices(`${cacheDir}/cudnn`, engineDevice(cuda))
    : undefined;
  if (tf.findBackend(CUDNN_BACKEND)) tf.removeBackend(CUDNN_BACKEND);
  const backend = new CudnnBackend(cuda, compiler, { precision, choices });
  registerKernels(CUDNN_BACKEND);
  tf.registerBackend(CUDNN_BACKEND, () => backend, 2);
  await tf.setBackend(CUDNN_BACKEND);
  return {
    name: "cudnn",
    tfjsName: CUDNN_BACKEND,
    description: `cudnn, ${cuda.name}, ${PRECISION_NAMES[precision]}, ` +
      `driver for CUDA ${libraries.versions.cuda}, cuDNN ${libraries.versions.cudnn}`,
    memory: () => backend.usage,
    resetPeak: () => backend.pool.resetPeak(),
    createRecorder: () => new StepRecorder(new CudnnRecording(backend, cuda)),
    close: () => {
      if (tf.findBackend(CUDNN_BACKEND) === backend) tf.removeBackend(CUDNN_BACKEND);
    },
  };
}
