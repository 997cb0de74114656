/**
 * Dense convolutions by cuDNN's functions that need no graph: deprecated in 9.x and whole in all of it,
 * they choose their engines as the graphs' heuristics do.
 *
 * A shape's descriptors and engine are made once. Of cuDNN's candidates those count that give the same
 * bits each time: the fastest as measured on this card, or by cuDNN's estimate. Tensors are NHWC, filters
 * KRSC.
 */

import { BackendError, type Precision } from "../contract.ts";
import {
  checkSizes,
  type ConvolutionShape,
  type DenseConvolution,
  nameOf,
  type Operand,
  operandsAt,
  title,
} from "./convolution_shape.ts";
import type { CudaDevice } from "./device.ts";
import type { EngineChoices } from "./engine_choices.ts";
import { type Engine, EngineTimer } from "./engine_timer.ts";
import { CUDNN_VALUES } from "./ffi/cudnn.ts";
import { CUDNN_STRUCTS } from "./ffi/cudnn_convolution.ts";
import { createHandle, type Handle } from "./ffi/memory.ts";
import { checkCudnn } from "./ffi/status.ts";
import type { DevicePool } from "./memory.ts";

/** What each kind reads and writes, and cuDNN's functions for it. */
const KINDS = {
  forward: {
    reads: ["x", "filter"],
    writes: "y",
    choose: "cudnnGetConvolutionForwardAlgorithm_v7",
    run: "cudnnConvolutionForward",
  },
  input_gradient: {
    reads: ["filter", "y"],
    writes: "x",
    choose: "cudnnGetConvolutionBackwardDataAlgorithm_v7",
    run: "cudnnConvolutionBackwardData",
  },
  filter_gradient: {
    reads: ["x", "y"],
    writes: "filter",
    choose: "cudnnGetConvolutionBackwardFilterAlgorithm_v7",
    run: "cudnnConvolutionBackwardFilter",
  },
} as const;

/** Candidates asked for: more than there are. */
const CANDIDATES = 16;
/** Bytes that an algorithm may take for itself. */
const MOST_WORKSPACE = 1 << 29;
/** `cudnnDeterminism_t` of an algorithm that gives the same bits each time. */
const DETERMINISTIC = 1;

const ONE = new Float32Array([1]), ZERO = new Float32Array([0]);

interface Descriptors {
  x: Handle;
  filter: Handle;
  y: Handle;
  convolution: Handle;
}

interface Plan extends Descriptors {
  engine: Engine;
}

export class Convolutions implements Disposable {
  readonly #device: CudaDevice;
  readonly #pool: DevicePool;
  readonly #precision: Precision;
  readonly #handle: Handle;
  readonly #timer: EngineTimer | undefined;
  /** By kind and shape. */
  readonly #plans = new Map<string, Plan>();

  /**
   * @param options Without `choices` nothing is measured.
   * @throws {BackendError} If cuDNN refuses to start.
   */
  constructor(
    device: CudaDevice,
    pool: DevicePool,
    { precision, choices }: { precision: Precision; choices?: EngineChoices },
  ) {
    const { cudnn } = device.libraries;
    this.#device = device;
    this.#pool = pool;
    this.#precision = precision;
    this.#timer = choices && new EngineTimer(device, choices);
    this.#handle = this.#create("cudnnCreate", "cudnnDestroy");
    this.#check(cudnn.cudnnSetStream(this.#handle.address, device.stream), "cudnnSetStream");
  }

  /**
   * Puts a convolution into the stream.
   *
   * @throws {RangeError} If the sizes are those of no convolution that is padded alike on both sides.
   * @throws {BackendError} If cuDNN has no algorithm for it, or refuses the call.
   * @throws {OutOfMemoryError} If there is no room for the algorithm's workspace.
   */
  run(call: DenseConvolution): void {
    const { run } = KINDS[call.kind], plan = this.#plan(call);
    const workspace = this.#pool.take(plan.engine.workspace);
    try {
      const status = this.#launch(plan, { ...call, workspace, handle: this.#handle.address });
      if (status !== CUDNN_VALUES.CUDNN_STATUS_SUCCESS) {
        this.#check(status, `${run} of ${title(call)} after ${this.#device.last}`);
      }
      this.#device.last = run;
    } finally {
      this.#pool.release(workspace);
    }
  }

  /** Puts a convolution into the stream of a handle; returns cuDNN's status. */
  #launch(
    plan: Plan,
    call: Pick<DenseConvolution, "kind" | Operand> & { workspace: bigint; handle: bigint },
  ): number {
    const { reads: [first, second], writes, run } = KINDS[call.kind];
    return this.#device.libraries.cudnn[run](
      call.handle,
      ONE,
      plan[first].address,
      call[first],
      plan[second].address,
      call[second],
      plan.convolution.address,
      plan.engine.algorithm,
      call.workspace,
      BigInt(plan.engine.workspace),
      ZERO,
      plan[writes].address,
      call[writes],
    );
  }

  #check(status: number, call: string): void {
    if (status === CUDNN_VALUES.CUDNN_STATUS_SUCCESS) return;
    this.#device.failed = true;
    checkCudnn(this.#device.libraries.cudnn, status, call);
  }

  #plan(call: DenseConvolution): Plan {
    const key = nameOf(call);
    const known = this.#plans.get(key);
    if (known) return known;
    checkSizes(call);
    const descriptors = this.#describe(call);
    const plan = { ...descriptors, engine: this.#choose(call, descriptors) };
    this.#plans.set(key, plan);
    return plan;
  }

  #choose(call: DenseConvolution, descriptors: Descriptors): Engine {
    const engines = this.#candidates(call, descriptors);
    if (engines.length === 0) {
      const reason = `cuDNN has no algorithm for ${title(call)}`;
      throw new BackendError("cudnn", `Cannot run a convolution on cudnn: ${reason}`);
    }
    const engine = this.#timer && engines.length > 1
      ? this.#fastest(this.#timer, engines, { call, descriptors })
      : engines[0];
    this.#setEngineMath(descriptors, engine);
    return engine;
  }

  #fastest(
    timer: EngineTimer,
    engines: readonly Engine[],
    { call, descriptors }: { call: DenseConvolution; descriptors: Descriptors },
  ): Engine {
    const run = (engine: Engine, handle: bigint, memory: bigint) => {
      this.#setEngineMath(descriptors, engine);
      const operands = operandsAt(memory, call);
      return this.#launch({ ...descriptors, engine }, { kind: call.kind, handle, ...operands });
    };
    const workspace = Math.max(...engines.map(({ workspace }) => workspace));
    return timer.fastest({
      name: `${this.#precision} ${nameOf(call)}`,
      engines,
      bytes: Number(operandsAt(0n, call).workspace) + workspace,
      run,
    });
  }

  /** What gives the same bits each time and fits, fastest first by cuDNN's estimate. */
  #candidates(call: DenseConvolution, descriptors: Descriptors): Engine[] {
    const { reads: [first, second], writes, choose } = KINDS[call.kind];
    const { cudnn } = this.#device.libraries;
    const { size, offsets } = CUDNN_STRUCTS.cudnnConvolutionFwdAlgoPerf_t;
    const found = new Int32Array(1), results = new DataView(new ArrayBuffer(size * CANDIDATES));
    if (this.#precision === "fp32") this.#setMath(descriptors, CUDNN_VALUES.CUDNN_FMA_MATH);
    this.#check(
      cudnn[choose](
        this.#handle.address,
        descriptors[first].address,
        descriptors[second].address,
        descriptors.convolution.address,
        descriptors[writes].address,
        CANDIDATES,
        found,
        results,
      ),
      `${choose} of ${title(call)}`,
    );
    const engines: Engine[] = [];
    for (let at = 0; at < found[0] * size; at += size) {
      const field = (name: string) => results.getInt32(at + offsets[name], true);
      const workspace = Number(results.getBigUint64(at + offsets.memory, true));
      const works = field("status") === CUDNN_VALUES.CUDNN_STATUS_SUCCESS;
      if (!works || field("determinism") !== DETERMINISTIC || workspace > MOST_WORKSPACE) continue;
      engines.push({ algorithm: field("algo"), mathType: field("mathType"), workspace });
    }
    return engines;
  }

  /** In float32 it stays FMA, whatever the engine says. */
  #setEngineMath(descriptors: Descriptors, { mathType }: Engine): void {
    if (this.#precision !== "fp32") this.#setMath(descriptors, mathType);
  }

  #setMath({ convolution }: Descriptors, type: number): void {
    this.#check(
      this.#device.libraries.cudnn.cudnnSetConvolutionMathType(convolution.address, type),
      "cudnnSetConvolutionMathType",
    );
  }

  #describe({ batch, input, output, kernel, stride, padding, dilation }: ConvolutionShape) {
    const { cudnn } = this.#device.libraries;
    const tensor = ([height, width, channels]: readonly [number, number, number]) => {
      const handle = this.#create("cudnnCreateTensorDescriptor", "cudnnDestroyTensorDescriptor");
      this.#check(
        cudnn.cudnnSetTensor4dDescriptor(
          handle.address,
          CUDNN_VALUES.CUDNN_TENSOR_NHWC,
          CUDNN_VALUES.CUDNN_DATA_FLOAT,
          ...[batch, channels, height, width] as const,
        ),
        "cudnnSetTensor4dDescriptor",
      );
      return handle;
    };
    const filter = this.#create("cudnnCreateFilterDescriptor", "cudnnDestroyFilterDescriptor");
    this.#check(
      cudnn.cudnnSetFilter4dDescriptor(
        filter.address,
        CUDNN_VALUES.CUDNN_DATA_FLOAT,
        CUDNN_VALUES.CUDNN_TENSOR_NHWC,
        ...[output[2], input[2], ...kernel] as const,
      ),
      "cudnnSetFilter4dDescriptor",
    );
    const convolution = this.#create(
      "cudnnCreateConvolutionDescriptor",
      "cudnnDestroyConvolutionDescriptor",
    );
    this.#check(
      cudnn.cudnnSetConvolution2dDescriptor(
        convolution.address,
        ...[...padding, ...stride, ...dilation] as const,
        CUDNN_VALUES.CUDNN_CROSS_CORRELATION,
        CUDNN_VALUES.CUDNN_DATA_FLOAT,
      ),
      "cudnnSetConvolution2dDescriptor",
    );
    return { x: tensor(input), filter, y: tensor(output), convolution };
  }

  #create(create: `cudnnCreate${Made}`, destroy: `cudnnDestroy${Made}`): Handle {
    const { cudnn } = this.#device.libraries;
    return createHandle(
      (out) => this.#check(cudnn[create](out), create),
      (address) => {
        const status = cudnn[destroy](address);
        if (!this.#device.failed) this.#check(status, destroy);
      },
    );
  }

  /** Destroys all descriptors and the handle. */
  [Symbol.dispose](): void {
    for (const { x, filter, y, convolution } of this.#plans.values()) {
      for (const handle of [x, filter, y, convolution]) handle[Symbol.dispose]();
    }
    this.#plans.clear();
    this.#timer?.[Symbol.dispose]();
    this.#handle[Symbol.dispose]();
  }
}

/** What cuDNN makes; the handle has no name of its own. */
type Made = "" | "TensorDescriptor" | "FilterDescriptor" | "ConvolutionDescriptor";
