/**
 * Convolutions as graphs of cuDNN's, and its plans for a card that is not there: a descriptor of the
 * card's properties stands for the handle, which only a card could give.
 */

import { type Cudnn, CUDNN_VALUES as V } from "../../../backends/cudnn/ffi/cudnn.ts";
import { createHandle, type Handle } from "../../../backends/cudnn/ffi/memory.ts";
import { checkCudnn, DriverError } from "../../../backends/cudnn/ffi/status.ts";
import type { ConvolutionSizes } from "./paper_convolutions.ts";

/** The three convolutions of a training step. */
export const KINDS = ["forward", "input_gradient", "filter_gradient"] as const;
/** One of them. */
export type Kind = typeof KINDS[number];

/** A plan that cuDNN makes for a convolution. */
export interface Plan {
  /** Bytes of memory beyond the tensors. */
  workspace: number;
  /** Whether it computes on tensor cores, where float32 becomes TF32. */
  tensorCores: boolean;
}

/** The descriptor of an operation, and its attributes. */
const OPERATIONS = {
  forward: {
    type: V.CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
    convolution: V.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
    image: V.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
    filter: V.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
    result: V.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
    alpha: V.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
    beta: V.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
  },
  input_gradient: {
    type: V.CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
    convolution: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
    image: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
    filter: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
    result: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
    alpha: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
    beta: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
  },
  filter_gradient: {
    type: V.CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
    convolution: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
    image: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
    filter: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
    result: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
    alpha: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
    beta: V.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
  },
} as const;

/** The elements of an attribute, and the type that cuDNN calls them by. */
interface Elements {
  type: number;
  values:
    | BigInt64Array<ArrayBuffer>
    | BigUint64Array<ArrayBuffer>
    | Int32Array<ArrayBuffer>
    | Float32Array<ArrayBuffer>
    | Uint8Array<ArrayBuffer>;
}

const int64 = (values: readonly number[]): Elements => ({
  type: V.CUDNN_TYPE_INT64,
  values: BigInt64Array.from(values, BigInt),
});
const float = (value: number): Elements => ({
  type: V.CUDNN_TYPE_FLOAT,
  values: Float32Array.of(value),
});
const enumeration = (type: number, value: number): Elements => ({
  type,
  values: Int32Array.of(value),
});
const descriptors = (...handles: Handle[]): Elements => ({
  type: V.CUDNN_TYPE_BACKEND_DESCRIPTOR,
  values: BigUint64Array.from(handles, ({ address }) => address),
});
const float32 = enumeration(V.CUDNN_TYPE_DATA_TYPE, V.CUDNN_DATA_FLOAT);

/** Makes plans for one card; its descriptors end with it. */
export class Planner implements Disposable {
  readonly #cudnn: Cudnn;
  readonly #made: Handle[] = [];
  readonly #card: Handle;

  /** @param properties The card's, as `CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION` has them. */
  constructor(cudnn: Cudnn, properties: Readonly<Record<string, unknown>>) {
    this.#cudnn = cudnn;
    const values = new TextEncoder().encode(JSON.stringify(properties));
    this.#card = this.#descriptor(V.CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, [
      [V.CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, { type: V.CUDNN_TYPE_CHAR, values }],
    ]);
  }

  /**
   * Plans that can be made for a convolution, fastest first as cuDNN reckons.
   *
   * @param most Ends the search at so many.
   * @throws {DriverError} If cuDNN refuses the graph.
   */
  plans(sizes: ConvolutionSizes, kind: Kind, most = 1): Plan[] {
    const graph = this.#descriptor(V.CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, [
      [V.CUDNN_ATTR_OPERATIONGRAPH_OPS, descriptors(this.#operation(sizes, kind))],
    ]);
    const heuristics = this.#descriptor(V.CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, [
      [V.CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, descriptors(graph)],
      [V.CUDNN_ATTR_ENGINEHEUR_MODE, enumeration(V.CUDNN_TYPE_HEUR_MODE, V.CUDNN_HEUR_MODE_A)],
      [V.CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, descriptors(this.#card)],
    ]);
    const plans: Plan[] = [];
    for (const configuration of this.#configurations(heuristics)) {
      const plan = this.#plan(configuration);
      if (plan) plans.push(plan);
      if (plans.length === most) break;
    }
    return plans;
  }

  #operation(sizes: ConvolutionSizes, kind: Kind): Handle {
    const { batch, input, output, kernel, stride, padding } = sizes;
    const convolution = this.#descriptor(V.CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, [
      [V.CUDNN_ATTR_CONVOLUTION_COMP_TYPE, float32],
      [
        V.CUDNN_ATTR_CONVOLUTION_CONV_MODE,
        enumeration(V.CUDNN_TYPE_CONVOLUTION_MODE, V.CUDNN_CROSS_CORRELATION),
      ],
      [V.CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64([2])],
      [V.CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, int64(padding)],
      [V.CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, int64(padding)],
      [V.CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, int64(stride)],
      [V.CUDNN_ATTR_CONVOLUTION_DILATIONS, int64([1, 1])],
    ]);
    const operation = OPERATIONS[kind];
    return this.#descriptor(operation.type, [
      [operation.convolution, descriptors(convolution)],
      [operation.image, descriptors(this.#tensor(1, [batch, ...input]))],
      [operation.filter, descriptors(this.#tensor(2, [output[2], ...kernel, input[2]]))],
      [operation.result, descriptors(this.#tensor(3, [batch, ...output]))],
      [operation.alpha, float(1)],
      [operation.beta, float(0)],
    ]);
  }

  /** Float32 of shape [N, H, W, C], which cuDNN takes in the order N, C, H, W. */
  #tensor(id: number, [batch, height, width, channels]: number[]): Handle {
    const strides = [height * width * channels, 1, width * channels, channels];
    return this.#descriptor(V.CUDNN_BACKEND_TENSOR_DESCRIPTOR, [
      [V.CUDNN_ATTR_TENSOR_DATA_TYPE, float32],
      [V.CUDNN_ATTR_TENSOR_DIMENSIONS, int64([batch, channels, height, width])],
      [V.CUDNN_ATTR_TENSOR_STRIDES, int64(strides)],
      [V.CUDNN_ATTR_TENSOR_UNIQUE_ID, int64([id])],
      [V.CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, int64([16])],
    ]);
  }

  /** What the heuristics propose. */
  #configurations(heuristics: Handle): Handle[] {
    const type = V.CUDNN_BACKEND_ENGINECFG_DESCRIPTOR;
    const room = Array.from({ length: 16 }, () => this.#create(type));
    const count = this.#get(
      heuristics,
      V.CUDNN_ATTR_ENGINEHEUR_RESULTS,
      descriptors(...room),
    );
    return room.slice(0, count);
  }

  /** The plan of a configuration; nothing where cuDNN cannot make it for this card. */
  #plan(configuration: Handle): Plan | undefined {
    try {
      const plan = this.#descriptor(V.CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, [
        [V.CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, descriptors(configuration)],
        [V.CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, descriptors(this.#card)],
      ]);
      const workspace = int64([0]);
      this.#get(plan, V.CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, workspace);
      const tensorCores = this.#notes(configuration).includes(V.CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
      return { workspace: Number(workspace.values[0]), tensorCores };
    } catch (error) {
      if (error instanceof DriverError) return undefined;
      throw error;
    }
  }

  /** What a configuration's engine says of its numbers. */
  #notes(configuration: Handle): number[] {
    const engine = this.#create(V.CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    this.#get(configuration, V.CUDNN_ATTR_ENGINECFG_ENGINE, descriptors(engine));
    const notes = { type: V.CUDNN_TYPE_NUMERICAL_NOTE, values: new Int32Array(16) };
    const count = this.#get(engine, V.CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, notes);
    return [...notes.values.subarray(0, count)];
  }

  /** Reads an attribute into the elements, and says how many it has. */
  #get(descriptor: Handle, attribute: number, { type, values }: Elements): number {
    const count = new BigInt64Array(1), most = BigInt(values.length);
    const { cudnnBackendGetAttribute } = this.#cudnn;
    const status = cudnnBackendGetAttribute(
      descriptor.address,
      attribute,
      type,
      most,
      count,
      values,
    );
    checkCudnn(this.#cudnn, status, "cudnnBackendGetAttribute");
    return Number(count[0]);
  }

  #create(type: number): Handle {
    const cudnn = this.#cudnn;
    const handle = createHandle(
      (out) =>
        checkCudnn(
          cudnn,
          cudnn.cudnnBackendCreateDescriptor(type, out),
          "cudnnBackendCreateDescriptor",
        ),
      (address) =>
        checkCudnn(
          cudnn,
          cudnn.cudnnBackendDestroyDescriptor(address),
          "cudnnBackendDestroyDescriptor",
        ),
    );
    this.#made.push(handle);
    return handle;
  }

  #descriptor(type: number, attributes: [attribute: number, elements: Elements][]): Handle {
    const cudnn = this.#cudnn, descriptor = this.#create(type), { address } = descriptor;
    for (const [attribute, { type, values }] of attributes) {
      const count = BigInt(values.length);
      checkCudnn(
        cudnn,
        cudnn.cudnnBackendSetAttribute(address, attribute, type, count, values),
        `cudnnBackendSetAttribute ${attribute}`,
      );
    }
    checkCudnn(cudnn, cudnn.cudnnBackendFinalize(address), "cudnnBackendFinalize");
    return descriptor;
  }

  /** Destroys all descriptors, those last made first. */
  [Symbol.dispose](): void {
    for (const handle of this.#made.splice(0).reverse()) handle[Symbol.dispose]();
  }
}
