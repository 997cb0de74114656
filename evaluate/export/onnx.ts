/**
 * Writes a graph as an ONNX model of operator set 17, which ONNX Runtime has run since 1.12.
 *
 * It takes `pixels`, uint8 `[N, size, size, 3]` of any N, and gives `logits` and `probabilities`, float32
 * `[N, classes]`, and `label`, the name of the likeliest class as a string for each image. The names of
 * all classes are the metadata `classes`, a JSON list.
 *
 * Invariants: inside, feature maps are `[N, C, H, W]`; weights have the names of their parameters.
 *
 * Source: the operators of https://onnx.ai/onnx/operators, the file format of `onnx.proto`.
 */

import protobuf from "protobufjs";
import { type ConvolutionOperation, type Graph, type GraphNode, paddingOf } from "./graph.ts";
import schema from "./onnx.proto" with { type: "text" };

/** The set of operators that is used. */
export const ONNX_OPSET = 17;
/** The version of the file format that goes with it. */
const IR_VERSION = 8;
/** An end of a slice beyond every axis. */
const LAST = 2 ** 31 - 1;

const MODEL = protobuf.parse(schema).root.lookupType("onnx.ModelProto");

type ElementType = "FLOAT" | "UINT8" | "INT64" | "STRING";
type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** A model as bytes. `metadata` is kept with it, beside the names of the classes. */
export function encodeOnnx(
  graph: Graph,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const model = new OnnxNodes(), { input, outputs, classes } = graph;
  for (const node of graph.nodes) addNode(model, node);
  const { logits, probabilities } = outputs;
  const best = model.node("label.index", "ArgMax", [logits], { axis: 1, keepdims: 0 });
  const names = model.strings("classes", classes);
  const label = model.node("label", "Gather", [names, best], { axis: 0 });
  const pictures = ["N", input.size, input.size, 3], rows = ["N", classes.length];
  const message = MODEL.fromObject({
    irVersion: IR_VERSION,
    producerName: "pdarts",
    opsetImport: [{ domain: "", version: ONNX_OPSET }],
    metadataProps: Object.entries({ ...metadata, classes: JSON.stringify(classes) })
      .map(([key, value]) => ({ key, value })),
    graph: {
      name: "network",
      node: model.nodes,
      initializer: model.initializers,
      input: [valueInfo(input.name, "UINT8", pictures)],
      output: [
        valueInfo(logits, "FLOAT", rows),
        valueInfo(probabilities, "FLOAT", rows),
        valueInfo(label, "STRING", ["N"]),
      ],
    },
  });
  return new Uint8Array(MODEL.encode(message).finish());
}

/** Nodes and constants as they are added. */
class OnnxNodes {
  readonly nodes: object[] = [];
  readonly initializers: object[] = [];

  /** Adds a node of one result, and returns its name. */
  node(
    name: string,
    opType: string,
    input: readonly string[],
    attributes: Attributes = {},
  ): string {
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    this.nodes.push({ name, opType, input, output: [name], attribute });
    return name;
  }

  /** Adds a constant of floats, and returns its name. */
  floats(name: string, { shape, data }: { shape: readonly number[]; data: Float32Array }): string {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return this.#constant(name, "FLOAT", { dims: shape, rawData });
  }

  /** Adds a constant of whole numbers, and returns its name. */
  integers(name: string, values: readonly number[]): string {
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#constant(name, "INT64", { dims: [values.length], rawData });
  }

  /** Adds a constant of strings, and returns its name. */
  strings(name: string, values: readonly string[]): string {
    const stringData = values.map((value) => new TextEncoder().encode(value));
    return this.#constant(name, "STRING", { dims: [values.length], stringData });
  }

  #constant(name: string, dataType: ElementType, content: object): string {
    this.initializers.push({ name, dataType, ...content });
    return name;
  }
}

/** An attribute; a number is whole, but for an epsilon. */
function attributeOf(name: string, value: number | readonly number[]): object {
  if (typeof value !== "number") return { name, type: "INTS", ints: value };
  return name === "epsilon" ? { name, type: "FLOAT", f: value } : { name, type: "INT", i: value };
}

function valueInfo(name: string, elemType: ElementType, sizes: readonly (number | string)[]) {
  const dim = sizes.map((size) =>
    typeof size === "string" ? { dimParam: size } : { dimValue: size }
  );
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** Adds what a node of the graph is in ONNX. */
function addNode(model: OnnxNodes, { name, inputs, operation }: GraphNode): void {
  switch (operation.op) {
    case "normalise": {
      const { scale, shift } = operation, { length } = scale;
      const cast = model.node(`${name}.cast`, "Cast", inputs, { to: 1 });
      const by = model.floats(`${name}.scale`, { shape: [length], data: scale });
      const scaled = model.node(`${name}.scaled`, "Mul", [cast, by]);
      const to = model.floats(`${name}.shift`, { shape: [length], data: shift });
      const shifted = model.node(`${name}.shifted`, "Add", [scaled, to]);
      model.node(name, "Transpose", [shifted], { perm: [0, 3, 1, 2] });
      break;
    }
    case "relu":
      model.node(name, "Relu", inputs);
      break;
    case "add":
      model.node(name, "Add", inputs);
      break;
    case "concat":
      model.node(name, "Concat", inputs, { axis: 1 });
      break;
    case "zeros":
      model.node(name, "ConstantOfShape", [model.node(`${name}.shape`, "Shape", inputs)]);
      break;
    case "pad_end":
      model.node(name, "Pad", [
        ...inputs,
        model.integers(`${name}.pads`, [0, 0, 0, 0, 0, 0, 1, 1]),
      ]);
      break;
    case "every_other": {
      const { first } = operation;
      const limits = [[first, first], [LAST, LAST], [2, 3], [2, 2]];
      const names = ["starts", "ends", "axes", "steps"]
        .map((limit, index) => model.integers(`${name}.${limit}`, limits[index]));
      model.node(name, "Slice", [...inputs, ...names]);
      break;
    }
    case "max_pool":
    case "avg_pool": {
      const { op, stride } = operation;
      const window = { kernel_shape: [3, 3], strides: [stride, stride], pads: [1, 1, 1, 1] };
      model.node(name, op === "max_pool" ? "MaxPool" : "AveragePool", inputs, window);
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
      model.node(name, "BatchNormalization", [...inputs, ...names], { epsilon });
      break;
    }
    case "global_average": {
      const pooled = model.node(`${name}.pooled`, "GlobalAveragePool", inputs);
      model.node(name, "Flatten", [pooled], { axis: 1 });
      break;
    }
    case "linear": {
      const weight = model.floats("classifier.weight", operation.weight);
      const bias = model.floats("classifier.bias", operation.bias);
      model.node(name, "Gemm", [...inputs, weight, bias], { transB: 1 });
      break;
    }
    case "softmax":
      model.node(name, "Softmax", inputs, { axis: -1 });
  }
}

function addConvolution(
  model: OnnxNodes,
  { name, inputs, operation }: GraphNode & { operation: ConvolutionOperation },
): void {
  const { filter, depthwise, bias, stride, dilation } = operation;
  const [rows, columns] = paddingOf(operation), [outputs, , height, width] = filter.shape;
  const constants = [model.floats(`${name}.weight`, filter)];
  if (bias) constants.push(model.floats(`${name}.bias`, bias));
  model.node(name, "Conv", [...inputs, ...constants], {
    kernel_shape: [height, width],
    strides: stride,
    dilations: [dilation, dilation],
    pads: [rows, columns, rows, columns],
    group: depthwise ? outputs : 1,
  });
}
