/**
 * What a cell of the evaluation network computes, laid out once: per state the list of branches that all
 * its outgoing operations need, and per node the two terms of its sum.
 *
 * Invariants: a pool that several operations of a state share is one branch; each stride-1 skip, and the
 * concatenation of a state that is read as well, has an identity branch of its own, so that all gradients
 * of a state meet in one op. Parameters are named as the authors' modules (`_ops.<entry>...`).
 *
 * Source: arXiv 1904.12760, section 4.3, after the networks of arXiv 1806.09055.
 */

import {
  type ForwardMode,
  type LazyNorm,
  type NormedBranch,
  normedBranches,
} from "../nn/batch_norm.ts";
import { factorizedReduce, separableUnit } from "../nn/cell_operations.ts";
import { type CellGenotype, type GenotypeEntry, nodeCount } from "../nn/genotypes.ts";
import type { Parameters } from "../nn/parameters.ts";
import { CELL_INPUTS, PRIMITIVE_SPECS } from "../nn/primitives.ts";
import { factorisedConvolution } from "./factorised_convolution.ts";

/** What follows an operation's branch of its state. */
export type Continuation = (first: LazyNorm, mode: ForwardMode) => LazyNorm;

/** One term of a node's sum. */
export interface PlannedTerm {
  /** The state it comes from. */
  readonly state: number;
  /** Position of its first operation among that state's branches. */
  readonly branch: number;
  /** What its operation does behind that branch. */
  readonly rest?: Continuation;
  /** Row of its drop-path factors among the cell's; absent for an identity, which is never dropped. */
  readonly drop?: number;
}

/** A cell laid out. */
export interface CellPlan {
  /** Branches by state. */
  readonly branches: readonly NormedBranch[][];
  /** Terms by node: at most two, for `none` adds nothing. */
  readonly terms: readonly PlannedTerm[][];
  /** The states that are concatenated, and the position of their identity; -1 for the state itself. */
  readonly outputs: readonly { state: number; branch: number }[];
  /** How many terms can be dropped. */
  readonly drops: number;
}

/** Names and sizes of a cell. */
export interface CellShape {
  /** Prefix of its parameters, such as `cells.3`. */
  readonly name: string;
  /** Its operations and outputs. */
  readonly genotype: CellGenotype;
  /** Channels of every state. */
  readonly channels: number;
  /** Whether operations on the two inputs have stride 2. */
  readonly reduction: boolean;
}

/** An operation, before it has found its place among the state's branches. */
interface Operation {
  readonly first: NormedBranch;
  readonly rest?: Continuation;
}

/**
 * Lays a cell out, and makes its operations' parameters.
 *
 * @throws {RangeError} If an input or a node has no way to the output, so that parameters would have no
 *   gradient.
 */
export function planCell(parameters: Parameters, shape: CellShape): CellPlan {
  const { name, genotype, channels, reduction } = shape, nodes = nodeCount(genotype);
  checkUsed(genotype, name);
  const branches: NormedBranch[][] = Array.from({ length: CELL_INPUTS + nodes }, () => []);
  const terms: PlannedTerm[][] = Array.from({ length: nodes }, () => []);
  let drops = 0;
  genotype.entries.forEach((entry, index) => {
    const [, state] = entry, ofState = branches[state];
    const operation = makeOperation(parameters, {
      name: `${name}._ops.${index}`,
      entry,
      channels,
      stride: reduction && state < CELL_INPUTS ? 2 : 1,
      ofState,
    });
    if (!operation) return;
    const { first, rest } = operation, identity = first.branch.kind === "identity" && !rest;
    if (!ofState.includes(first)) ofState.push(first);
    terms[index >> 1].push({
      state,
      branch: ofState.indexOf(first),
      rest,
      drop: identity ? undefined : drops++,
    });
  });
  const outputs = genotype.concat.map((state) => {
    if (branches[state].length === 0) return { state, branch: -1 };
    return { state, branch: branches[state].push({ branch: { kind: "identity" } }) - 1 };
  });
  return { branches, terms, outputs, drops };
}

/** What `makeOperation` needs to know. */
interface OperationSpec {
  name: string;
  entry: GenotypeEntry;
  channels: number;
  stride: number;
  /** Branches the state has already. */
  ofState: readonly NormedBranch[];
}

function makeOperation(
  parameters: Parameters,
  { name, entry: [primitive], channels, stride, ofState }: OperationSpec,
): Operation | undefined {
  const { kind, kernel, dilation, repeats } = PRIMITIVE_SPECS[primitive];
  switch (kind) {
    case "none":
      return undefined;
    case "max_pool":
    case "avg_pool":
      return {
        first: ofState.find(({ branch }) => branch.kind === kind) ?? { branch: { kind, stride } },
      };
    case "skip": {
      if (stride === 1) return { first: { branch: { kind: "identity" } } };
      const shape = { name, inputs: channels, outputs: channels, affine: true };
      return { first: factorizedReduce(parameters, shape) };
    }
    case "separable": {
      const shape = { name, channels, kernel, dilation, affine: true };
      const first = separableUnit(parameters, { ...shape, layer: 1, stride });
      if (repeats === 1) return { first };
      const second = separableUnit(parameters, { ...shape, layer: 5, stride: 1 });
      return {
        first,
        rest: ({ y, affine }, mode) => normedBranches(y, [second], { mode, affine })[0],
      };
    }
    case "factorised_conv":
      return {
        first: { branch: { kind: "identity" } },
        rest: factorisedConvolution(parameters, { name, channels, kernel, stride }),
      };
  }
}

function checkUsed({ entries, concat }: CellGenotype, name: string): void {
  const read = new Set(
    entries.flatMap(([primitive, state]) => primitive === "none" ? [] : [state]),
  );
  for (let state = 0; state < CELL_INPUTS + entries.length / 2; state++) {
    if (read.has(state) || concat.includes(state)) continue;
    throw new RangeError(
      `Cannot build ${name}: nothing reads state ${state} of its genotype, and it is no output`,
    );
  }
}
