/** Networks to export, with pixels and the logits of `EvaluationNetwork` for them. */

import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../../../backends/mod.ts";
import { CounterRandom } from "../../../backends/random.ts";
import { normalisationTable } from "../../../datasets/augmentation.ts";
import { CIFAR_TABLES } from "../../../datasets/cifar_tables.ts";
import type { Graph } from "../../../evaluate/export/graph.ts";
import { networkGraph } from "../../../evaluate/export/network_graph.ts";
import { EvaluationNetwork } from "../../../evaluate/network.ts";
import { BATCH_NORM } from "../../../nn/batch_norm.ts";
import { type Genotype, GENOTYPES } from "../../../nn/genotypes.ts";
import type { HostTensor } from "../../../nn/safetensors.ts";
import type { StateDict } from "../../../nn/state_dict.ts";
import { assert } from "../../assert.ts";
import { loadSample } from "../../datasets/sample.ts";
import { NETWORK_SHAPE, readNetworkFixture } from "../../parity/network_fixtures.ts";
import { EVERY_PRIMITIVE } from "../tiny_network.ts";

/** Images, their side in pixels, and the largest difference of logits. */
const COUNT = 3, SIZE = 32, LARGEST = 1e-4;
const { classes, mean, std } = CIFAR_TABLES.cifar10;

/** A network and what it computes. */
export interface ExportedNetwork {
  readonly weights: StateDict;
  /** Its graph, with batch norms folded or not. */
  graph(fold: boolean): Graph;
  /** `[3, 32, 32, 3]`, 0..255. */
  readonly pixels: Uint8Array;
  /** `[3, 10]` of our own network. */
  readonly logits: Float32Array;
}

/** Names of the networks: the stored genotypes, and one of all that a genotype may hold. */
export const NETWORKS = [...Object.keys(GENOTYPES), "every primitive", "no operations"];

/** A reduction cell with a node of nothing. */
const NO_OPERATIONS: Genotype = {
  ...EVERY_PRIMITIVE,
  reduce: [["none", 0], ["none", 1], ["max_pool_3x3", 0], ["avg_pool_3x3", 1]],
  reduceConcat: [2, 3],
};

/** Makes a network on our CPU backend, and leaves plain tfjs as the current one. */
export async function exportedNetwork(name: string): Promise<ExportedNetwork> {
  const { backend } = await startBackend("cpu", { threads: 2 });
  try {
    const genotype = GENOTYPES[name] ??
      (name === "no operations" ? NO_OPERATIONS : EVERY_PRIMITIVE);
    const options = { ...NETWORK_SHAPE, genotype, auxiliary: name in GENOTYPES };
    const network = new EvaluationNetwork(
      { ...options, batchNorm: BATCH_NORM },
      new CounterRandom(3),
    );
    const weights = name in GENOTYPES
      ? (await readNetworkFixture(name)).state
      : varied(await network.parameters.stateDict());
    network.parameters.loadStateDict(weights);
    const pixels = loadSample().test.images.slice(0, COUNT * SIZE * SIZE * 3);
    const table = normalisationTable({ mean, std });
    const images = Float32Array.from(pixels, (value, index) => table[256 * (index % 3) + value]);
    const x = tf.tensor4d(images, [COUNT, SIZE, SIZE, 3]);
    const logits = Float32Array.from(await network.forward(x).logits.data());
    network.parameters.dispose();
    return { weights, pixels, logits, graph: (fold) => graphOf({ genotype, weights, fold }) };
  } finally {
    backend.close();
    await tf.setBackend("cpu");
  }
}

function graphOf(options: { genotype: Genotype; weights: StateDict; fold: boolean }): Graph {
  return networkGraph({
    ...NETWORK_SHAPE,
    ...options,
    network: "cifar",
    epsilon: BATCH_NORM.epsilon,
    imageSize: SIZE,
    statistics: { mean, std },
    classes,
  });
}

/** The weights of a new network, with batch norms that have seen something. */
function varied(weights: StateDict): StateDict {
  const random = new CounterRandom(7);
  return new Map([...weights].map(([name, tensor]): [string, HostTensor] => {
    if (!(tensor.data instanceof Float32Array) || tensor.shape.length !== 1) return [name, tensor];
    const centre = /running_mean|bias/.test(name) ? 0 : 1;
    const data = tensor.data.map(() => centre + 0.5 * (2 * random.uniform() - 1));
    return [name, { ...tensor, data }];
  }));
}

/** The name of the likeliest class of each image. */
export function labelsOf(logits: Float32Array): string[] {
  return Array.from({ length: COUNT }, (_, image) => {
    const row = logits.slice(image * classes.length, (image + 1) * classes.length);
    return classes[row.indexOf(Math.max(...row))];
  });
}

/** Fails where logits, or the probabilities of others, are not those of our network. */
export function checkResults(
  { logits, probabilities }: { logits: ArrayLike<number>; probabilities: ArrayLike<number> },
  wanted: Float32Array,
  label: string,
): void {
  assert(logits.length === wanted.length && probabilities.length === wanted.length, label);
  const error = Math.max(...wanted.map((value, index) => Math.abs(logits[index] - value)));
  assert(error <= LARGEST, `${label}: logits off by ${error.toExponential(1)}`);
  for (let image = 0; image < COUNT; image++) {
    const row = wanted.slice(image * classes.length, (image + 1) * classes.length);
    const total = row.reduce((sum, value) => sum + Math.exp(value), 0);
    row.forEach((value, index) => {
      const got = probabilities[image * classes.length + index];
      assert(Math.abs(got - Math.exp(value) / total) <= LARGEST, `${label}: probability ${got}`);
    });
  }
}
