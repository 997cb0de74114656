/**
 * What a cell of the supernet computes, laid out once: per state the list of branches that all its
 * outgoing edges need, and per node the terms of its weighted sum.
 *
 * Invariants: every edge's kept primitives appear as terms but `none`, which adds nothing; a pool kept
 * by several edges of a state is one branch with one batch norm; each stride-1 skip, and the
 * concatenation, has an identity branch of its own, so that all gradients of a state meet in one op.
 * Parameters are named and ordered as the authors' modules (`cell_ops.<edge>.m_ops.<position>...`).
 *
 * Source: arXiv 1904.12760, section 3.1.
 */

import type { NormedBranch } from "../nn/batch_norm.ts";
import { factorizedReduce, separableUnit } from "../nn/cell_operations.ts";
import type { BatchNorm, Parameters } from "../nn/parameters.ts";
import {
  CELL_INPUTS,
  CELL_NODES,
  EDGES,
  type Primitive,
  PRIMITIVE_SPECS,
} from "../nn/primitives.ts";
import type { KeptPrimitives } from "./edge_weights.ts";

/** One term of a node's sum. */
export interface PlannedTerm {
  /** Index into `EDGES`. */
  readonly edge: number;
  /** The state it comes from. */
  readonly state: number;
  /** Position of its first operation among that state's branches. */
  readonly branch: number;
  /** The second separable unit of a sep_conv. */
  readonly second?: NormedBranch;
  /** Flat position of its weight in the matrix `[14, kept]`. */
  readonly weight: number;
  /** Whether skip dropout applies: an identity, not a FactorizedReduce. */
  readonly identity: boolean;
}

/** A cell laid out. */
export interface CellPlan {
  /** Branches by state, 0..4. */
  readonly branches: readonly NormedBranch[][];
  /** Terms by node, 0..3. */
  readonly terms: readonly PlannedTerm[][];
  /** Per state, the position of the identity that the concatenation takes; -1 for the state itself. */
  readonly outputs: readonly number[];
}

/** Names and sizes of a cell. */
export interface CellShape {
  /** Prefix of its parameters, such as `cells.3`. */
  readonly name: string;
  /** Channels of every state. */
  readonly channels: number;
  /** Whether edges from the two inputs have stride 2. */
  readonly reduction: boolean;
}

/** An operation on an edge, before it has found its place among the state's branches. */
interface Operation {
  first: NormedBranch;
  second?: NormedBranch;
}

/** Lays a cell out, and makes its edges' parameters. */
export function planCell(
  parameters: Parameters,
  { name, channels, reduction, kept }: CellShape & { kept: KeptPrimitives },
): CellPlan {
  const branches: NormedBranch[][] = Array.from({ length: CELL_INPUTS + CELL_NODES - 1 }, () => []);
  const terms: PlannedTerm[][] = Array.from({ length: CELL_NODES }, () => []);
  EDGES.forEach(({ node, source }, edge) => {
    const ofState = branches[source];
    const stride = reduction && source < CELL_INPUTS ? 2 : 1;
    kept[edge].forEach((primitive, position) => {
      const operation = makeOperation(parameters, {
        name: `${name}.cell_ops.${edge}.m_ops.${position}`,
        primitive,
        channels,
        stride,
        ofState,
      });
      if (!operation) return;
      const { first, second } = operation;
      if (!ofState.includes(first)) ofState.push(first);
      terms[node].push({
        edge,
        state: source,
        branch: ofState.indexOf(first),
        second,
        weight: edge * kept[edge].length + position,
        identity: first.branch.kind === "identity",
      });
    });
  });
  const outputs = branches.map((ofState, state) => {
    if (state < CELL_INPUTS || ofState.length === 0) return -1;
    return ofState.push({ branch: { kind: "identity" } }) - 1;
  });
  return { branches, terms, outputs };
}

/** What `makeOperation` needs to know of an edge. */
interface OperationSpec {
  name: string;
  primitive: Primitive;
  channels: number;
  stride: number;
  /** Branches the state has already. */
  ofState: readonly NormedBranch[];
}

function makeOperation(parameters: Parameters, spec: OperationSpec): Operation | undefined {
  const { name, primitive, channels, stride, ofState } = spec;
  const { kind, kernel, dilation, repeats } = PRIMITIVE_SPECS[primitive];
  const norm = (name: string, sharedWith?: BatchNorm) =>
    parameters.batchNorm(name, { channels, affine: false, sharedWith });
  switch (kind) {
    case "none":
      return undefined;
    case "max_pool":
    case "avg_pool": {
      const shared = ofState.find(({ branch }) => branch.kind === kind);
      const own = norm(`${name}.1`, shared?.norm);
      return { first: shared ?? { branch: { kind, stride }, norm: own } };
    }
    case "skip":
      if (stride === 1) return { first: { branch: { kind: "identity" } } };
      return {
        first: factorizedReduce(parameters, {
          name,
          inputs: channels,
          outputs: channels,
          affine: false,
        }),
      };
    case "separable": {
      const unit = (layer: number, stride: number): NormedBranch =>
        separableUnit(parameters, {
          name,
          layer,
          channels,
          kernel,
          stride,
          dilation,
          affine: false,
        });
      return { first: unit(1, stride), second: repeats === 2 ? unit(5, 1) : undefined };
    }
    default:
      throw new RangeError(`Cannot search "${primitive}": not in the search space`);
  }
}
