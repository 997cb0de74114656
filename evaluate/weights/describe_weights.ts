/**
 * Tells from the names and shapes of a state dict which evaluation network it is of: how many cells,
 * channels and classes, and which of the stored genotypes have such operations. What a genotype connects
 * leaves no trace in the weights, nor do pools and identities.
 */

import { reductionCells } from "../../nn/count_cells.ts";
import {
  type CellKind,
  cellOf,
  type Genotype,
  type GenotypeEntry,
  GENOTYPES,
} from "../../nn/genotypes.ts";
import { CELL_INPUTS, PRIMITIVE_SPECS } from "../../nn/primitives.ts";
import type { NetworkKind } from "../../nn/stem.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import { failWeights } from "./weights_error.ts";

/** The sizes of an evaluation network. */
export interface NetworkSizes {
  /** Cells. */
  readonly layers: number;
  /** Channels of the first cell. */
  readonly channels: number;
  /** Outputs of the classifier. */
  readonly classes: number;
}

/** The network that weights are of. */
export interface NetworkDescription extends NetworkSizes {
  /** Which stem it has. */
  readonly network: NetworkKind;
  /** Whether the auxiliary head's weights are there. */
  readonly auxiliary: boolean;
  /** The stored genotypes whose operations the weights fit, by name. */
  readonly genotypes: readonly string[];
}

/** Channels of CIFAR's stem, in units of the first cell's. */
const STEM_MULTIPLIER = 3;
/** What the names of the auxiliary head's weights begin with. */
export const AUXILIARY_PREFIX = "auxiliary_head.";

/** Outputs of a layer, the first size of its weight; undefined where the weight is missing. */
function outputsOf(dict: StateDict, name: string): number | undefined {
  return dict.get(name)?.shape[0];
}

/** What the weights of an operation of a genotype look like; empty where it has none. */
function traceOf([primitive, source]: GenotypeEntry, kind: CellKind): string {
  const { kind: operation, kernel, repeats } = PRIMITIVE_SPECS[primitive];
  if (operation === "separable") return `separable ${kernel} x ${repeats}`;
  if (operation === "factorised_conv") return `factorised ${kernel}`;
  const halved = operation === "skip" && kind === "reduce" && source < CELL_INPUTS;
  return halved ? "factorised reduce" : "";
}

/** What the weights under a prefix look like. */
function traceUnder(dict: StateDict, prefix: string): string {
  if (dict.has(`${prefix}conv_1.weight`)) return "factorised reduce";
  const shape = dict.get(`${prefix}op.1.weight`)?.shape;
  if (shape?.length !== 4) return "";
  const [, inputs, height, width] = shape;
  if (height !== width) return `factorised ${Math.max(height, width)}`;
  return inputs === 1
    ? `separable ${width} x ${dict.has(`${prefix}op.5.weight`) ? 2 : 1}`
    : "dense";
}

/** Per cell, the number of operations up to the last that has weights. */
function operationCounts(dict: StateDict): Map<number, number> {
  const counts = new Map<number, number>();
  for (const name of dict.keys()) {
    const [, cell, index] = /^cells\.(\d{1,4})\._ops\.(\d{1,4})\./.exec(name)?.map(Number) ?? [];
    if (cell !== undefined) counts.set(cell, Math.max(counts.get(cell) ?? 0, index + 1));
  }
  return counts;
}

/** Whether a network of this genotype has operations such as the weights in each of its cells. */
export function fitsGenotype(
  dict: StateDict,
  { genotype, layers }: { genotype: Genotype; layers: number },
): boolean {
  const counts = operationCounts(dict), reductions = reductionCells(layers);
  return Array.from({ length: layers }, (_, cell) => {
    const kind = reductions.includes(cell) ? "reduce" : "normal";
    const { entries } = cellOf(genotype, kind);
    return (counts.get(cell) ?? 0) <= entries.length &&
      entries.every((entry, index) =>
        traceOf(entry, kind) === traceUnder(dict, `cells.${cell}._ops.${index}.`)
      );
  }).every((fits) => fits);
}

/**
 * The evaluation network that weights are of.
 *
 * @throws {WeightsError} If they are no evaluation network's: its stem, cells or classifier is missing.
 */
export function describeWeights(dict: StateDict): NetworkDescription {
  const cells = [...dict.keys()].map((name) => /^cells\.(\d{1,4})\./.exec(name)?.[1]);
  const layers = Math.max(0, ...new Set(cells.map((cell) => cell ? Number(cell) + 1 : 0)));
  const classes = outputsOf(dict, "classifier.weight");
  const stem = outputsOf(dict, "stem.0.weight"), deepStem = outputsOf(dict, "stem1.1.weight");
  const channels = stem === undefined ? deepStem : stem / STEM_MULTIPLIER;
  if (layers === 0 || classes === undefined || !Number.isInteger(channels)) {
    const [first = "nothing"] = dict.keys();
    return failWeights(
      `it is not of an evaluation network: want stem, cells and classifier, and it begins with ${first}`,
    );
  }
  return {
    network: stem === undefined ? "imagenet" : "cifar",
    layers,
    channels: channels!,
    classes,
    auxiliary: dict.keys().some((name) => name.startsWith(AUXILIARY_PREFIX)),
    genotypes: Object.keys(GENOTYPES)
      .filter((name) => fitsGenotype(dict, { genotype: GENOTYPES[name], layers })),
  };
}
