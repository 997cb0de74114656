/**
 * Puts the weights of a file into an evaluation network: all of them, or none and a sentence that names
 * the first that does not fit, and what the file seems to be of instead.
 *
 * What may differ is what does not matter to the network's results: the auxiliary head, which only
 * training has, and the counts of batches, which torch 0.3 did not save.
 */

import type { Genotype } from "../../nn/genotypes.ts";
import type { Parameters } from "../../nn/parameters.ts";
import { RunError } from "../../nn/run_files.ts";
import type { HostTensor } from "../../nn/safetensors.ts";
import type { NetworkKind } from "../../nn/stem.ts";
import type { ExpectedTensor, StateDict } from "../../nn/state_dict.ts";
import {
  AUXILIARY_PREFIX,
  describeWeights,
  fitsGenotype,
  type NetworkDescription,
  type NetworkSizes,
} from "./describe_weights.ts";
import { printableReason, WeightsError } from "./weights_error.ts";

/** The network that weights go into, and what the user calls it. */
export interface WantedNetwork extends NetworkSizes {
  /** Which stem it has; default "cifar". */
  readonly network?: NetworkKind;
  /** Its cells. */
  readonly genotype: Genotype;
  /** The genotype's name or file. */
  readonly arch: string;
}

const STEM_TITLES: Record<NetworkKind, string> = { cifar: "CIFAR", imagenet: "ImageNet" };

const COUNT = ".num_batches_tracked";

/** The largest count of batches: all batch norms of a network see the same ones. */
function batchesOf(dict: StateDict): bigint {
  let batches = 0n;
  for (const [name, { data }] of dict) {
    if (name.endsWith(COUNT) && data instanceof BigInt64Array && data[0] > batches) {
      batches = data[0];
    }
  }
  return batches;
}

/** The weights without an auxiliary head that the network lacks, and with its own where they have none. */
async function withAuxiliaryOf(parameters: Parameters, dict: StateDict): Promise<StateDict> {
  const isAuxiliary = (name: string) => name.startsWith(AUXILIARY_PREFIX);
  const wanted = parameters.expected().keys().some(isAuxiliary);
  if (wanted === dict.keys().some(isAuxiliary)) return dict;
  if (!wanted) return new Map([...dict].filter(([name]) => !isAuxiliary(name)));
  const own = await parameters.stateDict();
  return new Map([...dict, ...[...own].filter(([name]) => isAuxiliary(name))]);
}

/** What is wrong with the first weight that does not fit, in the network's order. */
function firstMismatch(
  dict: StateDict,
  { expected, title }: { expected: ReadonlyMap<string, ExpectedTensor>; title: string },
): string | undefined {
  for (const [name, { shape }] of expected) {
    const tensor = dict.get(name);
    if (!tensor) return `${name} is missing, and ${title} wants [${shape}]`;
    if (tensor.shape.join() !== shape.join()) {
      return `${name} is [${tensor.shape}], and ${title} wants [${shape}]`;
    }
    if (!name.endsWith(COUNT) && !(tensor.data instanceof Float32Array)) {
      return `${name} is not of floats`;
    }
  }
  const unexpected = dict.keys().find((name) => !expected.has(name));
  return unexpected && `${unexpected} is in it, and ${title} has no such weight`;
}

/** What the weights seem to be of, where that is not what is wanted. */
function hint(dict: StateDict, wanted: WantedNetwork): string {
  let found: NetworkDescription;
  try {
    found = describeWeights(dict);
  } catch (error) {
    if (error instanceof WeightsError) return `; ${error.message}`;
    throw error;
  }
  const differing = (["layers", "channels", "classes"] as const)
    .filter((size) => found[size] !== wanted[size])
    .map((size) => `${found[size]} ${size === "layers" ? "cells" : size}`);
  const { genotype } = wanted, { layers } = found;
  if (!fitsGenotype(dict, { genotype, layers })) {
    differing.push(
      found.genotypes.length > 0
        ? `the operations of ${found.genotypes.join(" or ")}`
        : `the operations of another genotype than ${wanted.arch}`,
    );
  }
  if (found.network !== (wanted.network ?? "cifar")) {
    differing.push(`the stem of a network for ${STEM_TITLES[found.network]}`);
  }
  return differing.length > 0 ? `; the file's network has ${differing.join(", ")}` : "";
}

/**
 * Loads weights into a network.
 *
 * @param network An evaluation network; unchanged where it throws.
 * @param dict What `readWeights` read.
 * @param options.path The file, for messages.
 * @param options.wanted What the network is.
 * @throws {RunError} If a weight is missing, unexpected or of another shape: the first in the network's
 *   order is named.
 */
export async function loadWeights(
  network: { readonly parameters: Parameters },
  dict: StateDict,
  { path, wanted }: { path: string; wanted: WantedNetwork },
): Promise<void> {
  const { parameters } = network, expected = parameters.expected();
  const weights = new Map(await withAuxiliaryOf(parameters, dict));
  const count: HostTensor = { shape: [], data: BigInt64Array.of(batchesOf(weights)) };
  for (const name of expected.keys()) if (name.endsWith(COUNT)) weights.set(name, count);
  const { arch, layers, channels, classes } = wanted;
  const title = `the network of ${arch}, ${layers} cells, ${channels} channels, ${classes} classes`;
  const mismatch = firstMismatch(weights, { expected, title });
  if (mismatch) {
    const reason = printableReason(`${mismatch}${hint(dict, wanted)}`);
    throw new RunError(`Cannot load ${path}: ${reason}`);
  }
  parameters.loadStateDict(weights);
}
