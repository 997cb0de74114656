/**
 * Dense convolutions by cuDNN's functions that need no graph: deprecated in 9.x and whole in all of it,
 * they choose their engines as the graphs' heuristics do.
 *
 * A shape's descriptors and algorithm are made once: the first of cuDNN's candidates, fastest first by
 * its own estimate, that gives the same bits each time. Tensors are NHWC, filters KRSC.
 */

import { BackendError, type Precision } from "../contract.ts";
import type { CudaDevice } from "./device.ts";
import { CUDNN_VALUES } from "./ffi/cudnn.ts";
import { CUDNN_STRUCTS } from "./ffi/cudnn_convolution.ts";
import { createHandle, type Handle } from "./ffi/memory.ts";
import { checkCudnn } from "./ffi/status.ts";
import type { DevicePool } from "./memory.ts";

/** Sizes of a convolution. */
export interface ConvolutionShape {
  batch: number;
  /** Height, width and channels. */
  input: readonly [number, number, number];
  output: readonly [number, number, number];
  /** Height and width, as in all that follow. */
  kernel: readonly [number, number];
  stride: readonly [number, number];
  /** Zeros above and at the left, and as many below and at the right. */
  padding: readonly [number, number];
  dilation: readonly [number, number];
}

/** A convolution or a gradient of one; the address that `kind` names is written. */
export interface DenseConvolution extends ConvolutionShape {
  kind: "forward" | "input_gradient" | "filter_gradient";
  /** `[batch, ...input]`; its gradient where that is asked for, as of the two others. */
  x: bigint;
  /** `[output channels, ...kernel, input channels]`. */
  filter: bigint;
  /** `[batch, ...output]`. */
  y: bigint;
}

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
  algorithm: number;
  workspace: number;
}

export class Convolutions implements Disposable {
  readonly #device: CudaDevice;
  readonly #pool: DevicePool;
  readonly #precision: Precision;
  readonly #handle: Handle;
  /** By kind and shape. */
  readonly #plans = new Map<string, Plan>();

  /** @throws {BackendError} If cuDNN refuses to start. */
  constructor(device: CudaDevice, pool: DevicePool, precision: Precision) {
    const { cudnn } = device.libraries;
    this.#device = device;
    this.#pool = pool;
    this.#precision = precision;
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
    const { reads: [first, second], writes, run } = KINDS[call.kind];
    const plan = this.#plan(call), { cudnn } = this.#device.libraries;
    const workspace = this.#pool.take(plan.workspace);
    try {
      const status = cudnn[run](
        this.#handle.address,
        ONE,
        plan[first].address,
        call[first],
        plan[second].address,
        call[second],
        plan.convolution.address,
        plan.algorithm,
        workspace,
        BigInt(plan.workspace),
        ZERO,
        plan[writes].address,
        call[writes],
      );
      if (status !== CUDNN_VALUES.CUDNN_STATUS_SUCCESS) {
        this.#check(status, `${run} of ${title(call)} after ${this.#device.last}`);
      }
      this.#device.last = run;
    } finally {
      this.#pool.release(workspace);
    }
  }

  #check(status: number, call: string): void {
    if (status === CUDNN_VALUES.CUDNN_STATUS_SUCCESS) return;
    this.#device.failed = true;
    checkCudnn(this.#device.libraries.cudnn, status, call);
  }

  #plan(call: DenseConvolution): Plan {
    const { kind, batch, input, output, kernel, stride, padding, dilation } = call;
    const key = [kind, batch, input, output, kernel, stride, padding, dilation].join();
    const known = this.#plans.get(key);
    if (known) return known;
    checkSizes(call);
    const descriptors = this.#describe(call);
    const plan = { ...descriptors, ...this.#choose(call, descriptors) };
    this.#plans.set(key, plan);
    return plan;
  }

  /** The algorithm, and the bytes of its workspace. */
  #choose(
    call: DenseConvolution,
    descriptors: Descriptors,
  ): { algorithm: number; workspace: number } {
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
    for (let at = 0; at < found[0] * size; at += size) {
      const field = (name: string) => results.getInt32(at + offsets[name], true);
      const workspace = Number(results.getBigUint64(at + offsets.memory, true));
      const works = field("status") === CUDNN_VALUES.CUDNN_STATUS_SUCCESS;
      if (!works || field("determinism") !== DETERMINISTIC || workspace > MOST_WORKSPACE) continue;
      // In float32 it stays FMA, whatever the candidate says.
      if (this.#precision !== "fp32") this.#setMath(descriptors, field("mathType"));
      return { algorithm: field("algo"), workspace };
    }
    const reason = `cuDNN has no algorithm for ${title(call)}`;
    throw new BackendError("cudnn", `Cannot run a convolution on cudnn: ${reason}`);
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
    this.#handle[Symbol.dispose]();
  }
}

/** What cuDNN makes; the handle has no name of its own. */
type Made = "" | "TensorDescriptor" | "FilterDescriptor" | "ConvolutionDescriptor";

function checkSizes(call: ConvolutionShape): void {
  const { input, output, kernel, stride, padding, dilation } = call;
  for (const axis of [0, 1] as const) {
    const reach = dilation[axis] * (kernel[axis] - 1) + 1;
    const size = Math.floor((input[axis] + 2 * padding[axis] - reach) / stride[axis]) + 1;
    if (output[axis] !== size) {
      throw new RangeError(`Cannot run ${title(call)} on cudnn: want an output of ${size}`);
    }
  }
}

/** Such as `convolution 3 x 3 of [96,32,32,3] to [96,32,32,48]`. */
function title({ batch, input, output, kernel }: ConvolutionShape): string {
  return `convolution ${kernel.join(" x ")} of [${batch},${input}] to [${batch},${output}]`;
}
