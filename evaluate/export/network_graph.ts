/**
 * The graph of an evaluation network: stems, cells by its genotype, global average, classifier, softmax,
 * in front of it the normalisation of pixels. Parameters have the names of the authors' modules, and so
 * have the nodes.
 *
 * Invariant: it computes what `EvaluationNetwork` computes in evaluation, which has no auxiliary head.
 *
 * Source: arXiv 1904.12760, section 4.3, after the networks of arXiv 1806.09055.
 */

import type { Statistics } from "../../datasets/types.ts";
import { isReduction } from "../../nn/cell_chain.ts";
import { type CellGenotype, cellOf, type Genotype, nodeCount } from "../../nn/genotypes.ts";
import { CELL_INPUTS } from "../../nn/primitives.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import type { NetworkKind } from "../../nn/stem.ts";
import { AUXILIARY_PREFIX } from "../weights/describe_weights.ts";
import { addOperation, factorizedReduce, reluConvNorm } from "./cell_graph_operations.ts";
import type { Graph, Operation } from "./graph.ts";
import { GraphBuilder } from "./graph_builder.ts";

/** A network, and what is to be exported with it. */
export interface NetworkGraphOptions {
  readonly genotype: Genotype;
  readonly layers: number;
  /** Channels of the first cells' states. */
  readonly channels: number;
  /** Which stem it has. */
  readonly network: NetworkKind;
  readonly weights: StateDict;
  /** Of every batch norm. */
  readonly epsilon: number;
  /** Whether batch norms go into the filters. */
  readonly fold: boolean;
  /** Side of the images in pixels. */
  readonly imageSize: number;
  /** Of pixels in 0..1. */
  readonly statistics: Statistics;
  /** A name for each class. */
  readonly classes: readonly string[];
}

/** A feature map. */
interface Features {
  readonly name: string;
  readonly channels: number;
  /** Height and width. */
  readonly size: number;
}

/** Channels of CIFAR's stem, in units of the first cell's. */
const STEM_MULTIPLIER = 3;
const LARGEST_PIXEL = 255;

/**
 * Builds the graph.
 *
 * @throws {RangeError} naming the first weight that is missing, of another shape, or not the network's
 */
export function networkGraph(options: NetworkGraphOptions): Graph {
  const { genotype, layers, network, weights, statistics, classes, imageSize } = options;
  const builder = new GraphBuilder(weights, options), input = "pixels";
  const images = builder.add("normalised", normalisation(statistics), [input]);
  let [older, newer] = (network === "cifar" ? cifarStem : imagenetStems)(builder, {
    images,
    channels: options.channels,
    size: imageSize,
  });
  let channels = options.channels, halved = network === "imagenet";
  for (let index = 0; index < layers; index++) {
    const reduction = isReduction(index, layers);
    if (reduction) channels *= 2;
    const made = addCell(builder, {
      name: `cells.${index}`,
      cell: cellOf(genotype, reduction ? "reduce" : "normal"),
      inputs: [older, newer],
      channels,
      reduction,
      halved,
    });
    [older, newer, halved] = [newer, made, reduction];
  }
  const features = builder.add("features", { op: "global_average" }, [newer.name]);
  const weight = builder.weight("classifier.weight", [classes.length, newer.channels]);
  const bias = builder.weight("classifier.bias", [classes.length]);
  const logits = builder.add("logits", { op: "linear", weight, bias }, [features]);
  const probabilities = builder.add("probabilities", { op: "softmax" }, [logits]);
  const other = builder.unread()
    .find((name) => !name.startsWith(AUXILIARY_PREFIX) && !name.endsWith(".num_batches_tracked"));
  if (other) throw new RangeError(`${other} is in it, and the network has no such weight`);
  return {
    input: { name: input, size: imageSize },
    nodes: [...builder.nodes.values()],
    outputs: { logits, probabilities },
    classes,
  };
}

/** `(x / 255 - mean) / std` as one multiplication and addition. */
function normalisation({ mean, std }: Statistics): Operation {
  return {
    op: "normalise",
    scale: Float32Array.from(std, (value) => 1 / (LARGEST_PIXEL * value)),
    shift: Float32Array.from(std, (value, channel) => -mean[channel] / value),
  };
}

/** What the first cell reads. */
type Stems = readonly [Features, Features];
/** Images, their size, and the first cells' channels. */
interface StemInput {
  images: string;
  size: number;
  channels: number;
}

function cifarStem(builder: GraphBuilder, { images, channels, size }: StemInput): Stems {
  const width = STEM_MULTIPLIER * channels;
  const spec = { name: "stem.0", input: images, shape: [width, 3, 3, 3] } as const;
  const stem = { name: builder.normed([spec], "stem.1"), channels: width, size };
  return [stem, stem];
}

function imagenetStems(builder: GraphBuilder, { images, channels, size }: StemInput): Stems {
  const halving = (name: string, spec: { input: string; from: number; to: number; norm: string }) =>
    builder.normed([{
      name,
      input: spec.input,
      shape: [spec.to, spec.from, 3, 3],
      stride: [2, 2],
    }], spec.norm);
  const half = channels / 2;
  const first = halving("stem0.0", { input: images, from: 3, to: half, norm: "stem0.1" });
  const second = halving("stem0.3", {
    input: builder.relu(first),
    from: half,
    to: channels,
    norm: "stem0.4",
  });
  const third = halving("stem1.1", {
    input: builder.relu(second),
    from: channels,
    to: channels,
    norm: "stem1.2",
  });
  const quarter = Math.ceil(size / 4);
  return [
    { name: second, channels, size: quarter },
    { name: third, channels, size: Math.ceil(quarter / 2) },
  ];
}

/** A cell and what it reads. */
interface CellSpec {
  readonly name: string;
  readonly cell: CellGenotype;
  readonly inputs: Stems;
  readonly channels: number;
  readonly reduction: boolean;
  /** Whether the second input is half as large as the first. */
  readonly halved: boolean;
}

function addCell(builder: GraphBuilder, spec: CellSpec): Features {
  const { name, cell, inputs, channels, reduction, halved } = spec;
  const [, { size }] = inputs;
  const prepare = (input: 0 | 1) => {
    const { name: from, ...read } = inputs[input];
    const shape = {
      name: `${name}.preprocess${input}`,
      from,
      inputs: read.channels,
      outputs: channels,
      size: read.size,
    };
    return input === 0 && halved ? factorizedReduce(builder, shape) : reluConvNorm(builder, shape);
  };
  const states = [prepare(0), prepare(1)];
  for (let node = 0; node < nodeCount(cell); node++) {
    const terms = [2 * node, 2 * node + 1].flatMap((index) => {
      const entry = cell.entries[index], [, state] = entry;
      const stride = reduction && state < CELL_INPUTS ? 2 : 1;
      return addOperation(builder, {
        name: `${name}._ops.${index}`,
        entry,
        from: states[state],
        channels,
        stride,
        size,
      });
    });
    const zeros = () => addZeros(builder, { name, like: states[0], reduction });
    const sum = () => builder.add(`${name}.node_${node}`, { op: "add" }, terms);
    states.push(terms.length === 0 ? zeros() : terms.length === 1 ? terms[0] : sum());
  }
  const outputs = cell.concat.map((state) => states[state]);
  const joined = builder.add(`${name}.concat`, { op: "concat" }, outputs);
  return {
    name: joined,
    channels: channels * outputs.length,
    size: reduction ? Math.ceil(size / 2) : size,
  };
}

/** A node both of whose operations are `none`. */
function addZeros(
  builder: GraphBuilder,
  { name, like, reduction }: { name: string; like: string; reduction: boolean },
): string {
  const shaped = reduction ? builder.everyOther(like, 0) : like;
  return builder.add(`${name}.zeros`, { op: "zeros" }, [shaped]);
}
