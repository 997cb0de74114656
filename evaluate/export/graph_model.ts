/**
 * Writes a graph as a GraphModel of TensorFlow.js: a folder of `model.json` and binary shards, which
 * `loadGraphModel` of `@tensorflow/tfjs-converter` reads.
 *
 * It takes `pixels`, int32 `[N, size, size, 3]` of any N, as `tf.browser.fromPixels` makes them, and gives
 * `logits` and `probabilities`, float32 `[N, classes]`. The names of the classes are the list
 * `model.metadata.classes`.
 *
 * Invariants: inside, feature maps are `[N, H, W, C]`; weights have the names of their parameters. A pool
 * of stride 2 is every other pixel of one of stride 1, for TensorFlow's pools pad their ends alone.
 *
 * Source: TensorFlow's GraphDef as JSON, and
 * https://www.tensorflow.org/js/guide/save_load for the folder.
 */

import { fromTorch, type Layout, ourShape } from "../../nn/layouts.ts";
import {
  type ConvolutionOperation,
  type Graph,
  type GraphNode,
  paddingOf,
  type Weight,
} from "./graph.ts";

/** Bytes of a shard at most, as TensorFlow.js's own converter has it: caches of browsers keep such. */
const SHARD_BYTES = 4 * 2 ** 20;

/** The files of a GraphModel by name. */
export type GraphModelFiles = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** A model as files. `metadata` is kept with it, beside the names of the classes. */
export function encodeGraphModel(
  graph: Graph,
  metadata: Readonly<Record<string, unknown>>,
): GraphModelFiles {
  const model = new GraphDef(), { input, outputs, classes } = graph;
  const pictures = shapeOf([-1, input.size, input.size, 3]);
  model.node(input.name, "Placeholder", [], { dtype: INT32, shape: { shape: pictures } });
  for (const node of graph.nodes) addNode(model, node);
  const results = Object.values(outputs).map((name) => {
    const tensorShape = shapeOf([-1, classes.length]);
    return [name, { name: `${name}:0`, dtype: "DT_FLOAT", tensorShape }];
  });
  const shards = shardsOf(model.weights.map(({ bytes }) => bytes));
  const paths = shards.map((_, index) => `group1-shard${index + 1}of${shards.length}.bin`);
  const json = {
    format: "graph-model",
    generatedBy: "pdarts",
    convertedBy: null,
    signature: {
      inputs: {
        [input.name]: { name: `${input.name}:0`, dtype: "DT_INT32", tensorShape: pictures },
      },
      outputs: Object.fromEntries(results),
    },
    userDefinedMetadata: { ...metadata, classes },
    modelTopology: { node: model.nodes, library: {}, versions: { producer: 1087 } },
    weightsManifest: [{ paths, weights: model.weights.map(({ spec }) => spec) }],
  };
  const text = new TextEncoder().encode(JSON.stringify(json));
  return new Map([["model.json", text], ...paths.map((path, at) => [path, shards[at]] as const)]);
}

const FLOAT = { type: "DT_FLOAT" }, INT32 = { type: "DT_INT32" };

/** Nodes and constants as they are added. */
class GraphDef {
  readonly nodes: object[] = [];
  readonly weights: { spec: object; bytes: Uint8Array<ArrayBuffer> }[] = [];

  /** Adds a node of one result, and returns its name. */
  node(name: string, op: string, input: readonly string[], attr: object = { T: FLOAT }): string {
    this.nodes.push({ name, op, input, attr });
    return name;
  }

  /** Adds a constant of floats, and returns its name. */
  floats(name: string, { shape, data }: Weight, layout: Layout = "plain"): string {
    const bytes = new Uint8Array(fromTorch(data, { shape, layout }).buffer);
    return this.#constant(name, { shape: ourShape(shape, layout), dtype: "float32", bytes });
  }

  /** Adds a constant of whole numbers, and returns its name. */
  integers(name: string, values: readonly number[], shape = [values.length]): string {
    const bytes = new Uint8Array(Int32Array.from(values).buffer);
    return this.#constant(name, { shape, dtype: "int32", bytes });
  }

  #constant(
    name: string,
    { shape, dtype, bytes }: {
      shape: readonly number[];
      dtype: "float32" | "int32";
      bytes: Uint8Array<ArrayBuffer>;
    },
  ): string {
    const type = dtype === "float32" ? FLOAT : INT32;
    const tensor = { dtype: type.type, tensorShape: shapeOf(shape) };
    this.weights.push({ spec: { name, shape, dtype }, bytes });
    return this.node(name, "Const", [], { dtype: type, value: { tensor } });
  }
}

function shapeOf(sizes: readonly number[]): object {
  return { dim: sizes.map((size) => ({ size: String(size) })) };
}

function listOf(values: readonly number[]): object {
  return { list: { i: values.map(String) } };
}

function textOf(value: string): object {
  return { s: btoa(value) };
}

/** All bytes one behind the other, in parts. */
function shardsOf(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer>[] {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  const count = Math.ceil(all.length / SHARD_BYTES);
  return Array.from(
    { length: count },
    (_, index) => all.slice(index * SHARD_BYTES, (index + 1) * SHARD_BYTES),
  );
}

const IMAGES = { T: FLOAT, data_format: textOf("NHWC") };

/** Adds what a node of the graph is in TensorFlow. */
function addNode(model: GraphDef, { name, inputs, operation }: GraphNode): void {
  switch (operation.op) {
    case "normalise": {
      const { scale, shift } = operation, shape = [scale.length];
      const cast = model.node(`${name}.cast`, "Cast", inputs, { SrcT: INT32, DstT: FLOAT });
      const by = model.floats(`${name}.scale`, { shape, data: scale });
      const scaled = model.node(`${name}.scaled`, "Mul", [cast, by]);
      model.node(name, "AddV2", [scaled, model.floats(`${name}.shift`, { shape, data: shift })]);
      break;
    }
    case "relu":
      model.node(name, "Relu", inputs);
      break;
    case "add":
      model.node(name, "AddV2", inputs);
      break;
    case "concat": {
      const axis = model.integers(`${name}.axis`, [3]);
      const attr = { T: FLOAT, Tidx: INT32, N: { i: String(inputs.length) } };
      model.node(name, "ConcatV2", [...inputs, axis], attr);
      break;
    }
    case "zeros":
      model.node(name, "ZerosLike", inputs);
      break;
    case "pad_end": {
      const pads = model.integers(`${name}.pads`, [0, 0, 0, 1, 0, 1, 0, 0], [4, 2]);
      model.node(name, "Pad", [...inputs, pads], { T: FLOAT, Tpaddings: INT32 });
      break;
    }
    case "every_other":
      addEveryOther(model, { name, inputs, first: operation.first });
      break;
    case "max_pool":
    case "avg_pool": {
      const { op, stride } = operation;
      const attr = {
        ...IMAGES,
        ksize: listOf([1, 3, 3, 1]),
        strides: listOf([1, 1, 1, 1]),
        padding: textOf("SAME"),
      };
      const pooled = stride === 1 ? name : `${name}.whole`;
      model.node(pooled, op === "max_pool" ? "MaxPool" : "AvgPool", inputs, attr);
      if (stride === 2) addEveryOther(model, { name, inputs: [pooled], first: 0 });
      break;
    }
    case "convolution":
      addConvolution(model, { name, inputs, operation });
      break;
    case "batch_norm": {
      const { gamma, beta, mean, variance, epsilon } = operation;
      const parts = { weight: gamma, bias: beta, running_mean: mean, running_var: variance };
      const names = Object.entries(parts).map(([part, weight]) =>
        model.floats(`${name}.${part}`, weight)
      );
      const attr = { ...IMAGES, U: FLOAT, epsilon: { f: epsilon }, is_training: { b: false } };
      model.node(name, "FusedBatchNormV3", [...inputs, ...names], attr);
      break;
    }
    case "global_average": {
      const axes = model.integers(`${name}.axes`, [1, 2]);
      const attr = { T: FLOAT, Tidx: INT32, keep_dims: { b: false } };
      model.node(name, "Mean", [...inputs, axes], attr);
      break;
    }
    case "linear": {
      const weight = model.floats("classifier.weight", operation.weight, "linear");
      const attr = { T: FLOAT, transpose_a: { b: false }, transpose_b: { b: false } };
      const product = model.node(`${name}.product`, "MatMul", [...inputs, weight], attr);
      model.node(name, "AddV2", [product, model.floats("classifier.bias", operation.bias)]);
      break;
    }
    case "softmax":
      model.node(name, "Softmax", inputs);
  }
}

function addConvolution(
  model: GraphDef,
  { name, inputs, operation }: GraphNode & { operation: ConvolutionOperation },
): void {
  const { filter, depthwise, bias, stride: [down, right], dilation } = operation;
  const layout = depthwise ? "depthwise" : "convolution";
  const weight = model.floats(`${name}.weight`, filter, layout);
  const [rows, columns] = paddingOf(operation);
  const convolved = bias ? `${name}.convolved` : name;
  model.node(convolved, depthwise ? "DepthwiseConv2dNative" : "Conv2D", [...inputs, weight], {
    ...IMAGES,
    strides: listOf([1, down, right, 1]),
    dilations: listOf([1, dilation, dilation, 1]),
    padding: textOf("EXPLICIT"),
    explicit_paddings: listOf([0, 0, rows, rows, columns, columns, 0, 0]),
  });
  if (bias) model.node(name, "AddV2", [convolved, model.floats(`${name}.bias`, bias)]);
}

function addEveryOther(
  model: GraphDef,
  { name, inputs, first }: { name: string; inputs: readonly string[]; first: number },
): void {
  const limits = { begin: [0, first, first, 0], end: [0, 0, 0, 0], strides: [1, 2, 2, 1] };
  const names = Object.entries(limits)
    .map(([limit, values]) => model.integers(`${name}.${limit}`, values));
  model.node(name, "StridedSlice", [...inputs, ...names], {
    T: FLOAT,
    Index: INT32,
    begin_mask: { i: "0" },
    // Of all axes the end is that of the input.
    end_mask: { i: "15" },
    ellipsis_mask: { i: "0" },
    new_axis_mask: { i: "0" },
    shrink_axis_mask: { i: "0" },
  });
}
