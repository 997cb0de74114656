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
import type { NetworkKind } from "../../../nn/stem.ts";
import { assert } from "../../assert.ts";
import { loadSample } from "../../datasets/sample.ts";
import { CIFAR_SHAPE, readNetworkState } from "../../parity/network_fixtures.ts";
import { EVERY_PRIMITIVE } from "../tiny_network.ts";

/** Images, and the largest difference of logits. */
const COUNT = 3, LARGEST = 1e-4;
const { classes, mean, std } = CIFAR_TABLES.cifar10;

/** A network to export. */
export interface NetworkCase {
  /** Its genotype's name, and the kind of its images where they are not CIFAR's. */
  readonly name: string;
  readonly genotype: Genotype;
  readonly network: NetworkKind;
  /** Side of its images in pixels. */
  readonly size: number;
  /** A fixture with its weights; random ones without. */
  readonly fixture?: string;
}

/** Every node of the reduction cell has another number of operations: none, one, two. */
const FEW_OPERATIONS: Genotype = {
  ...EVERY_PRIMITIVE,
  reduce: [
    ["none", 0],
    ["none", 1],
    ["none", 1],
    ["max_pool_3x3", 0],
    ["skip_connect", 1],
    ["avg_pool_3x3", 1],
  ],
  reduceConcat: [2, 3, 4],
};

const CIFAR = { network: "cifar", size: 32 } as const;
/** Every FactorizedReduce meets an odd size. */
const IMAGENET = { network: "imagenet", size: 67 } as const;

/** The stored genotypes for both kinds of images, and what they lack. */
export const NETWORKS: readonly NetworkCase[] = [
  ...Object.entries(GENOTYPES).flatMap(([name, genotype]): NetworkCase[] => [
    { ...CIFAR, name, genotype, fixture: name },
    { ...IMAGENET, name: `${name} for ImageNet`, genotype },
  ]),
  { ...CIFAR, name: "every primitive", genotype: EVERY_PRIMITIVE },
  { ...CIFAR, name: "nodes of few operations", genotype: FEW_OPERATIONS },
];

/** A network and what it computes. */
export interface ExportedNetwork {
  readonly weights: StateDict;
  /** Its graph, with batch norms folded or not. */
  graph(fold: boolean): Graph;
  /** `[3, size, size, 3]`, 0..255. */
  readonly pixels: Uint8Array;
  /** `[3, 10]` of our own network. */
  readonly logits: Float32Array;
}

/** The network of a name among {@linkcode NETWORKS}. */
export function exportedNamed(name: string): Promise<ExportedNetwork> {
  return exportedNetwork(NETWORKS.find((network) => network.name === name)!);
}

/** Makes a network on our CPU backend, and leaves plain tfjs as the current one. */
export async function exportedNetwork(
  { genotype, network, size, fixture }: NetworkCase,
): Promise<ExportedNetwork> {
  const { backend } = await startBackend("cpu", { threads: 2 });
  try {
    const shape = { ...CIFAR_SHAPE, genotype, network };
    const options = { ...shape, auxiliary: fixture !== undefined, batchNorm: BATCH_NORM };
    const made = new EvaluationNetwork(options, new CounterRandom(3));
    const weights = fixture
      ? await readNetworkState(`evaluation/${fixture}`)
      : varied(await made.parameters.stateDict());
    made.parameters.loadStateDict(weights);
    const pixels = loadSample().test.images.slice(0, COUNT * size * size * 3);
    const table = normalisationTable({ mean, std });
    const images = Float32Array.from(pixels, (value, index) => table[256 * (index % 3) + value]);
    const x = tf.tensor4d(images, [COUNT, size, size, 3]);
    const logits = Float32Array.from(await made.forward(x).logits.data());
    made.parameters.dispose();
    const graph = (fold: boolean) =>
      networkGraph({
        ...shape,
        weights,
        fold,
        epsilon: BATCH_NORM.epsilon,
        imageSize: size,
        statistics: { mean, std },
        classes,
      });
    return { weights, pixels, logits, graph };
  } finally {
    backend.close();
    await tf.setBackend("cpu");
  }
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
