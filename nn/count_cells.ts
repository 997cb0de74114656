/**
 * Parameters and multiply-adds of a network's stack of cells: channels double and sizes
 * halve at the reduction cells, and each cell reads the two before it.
 */

import { Counter, type Counts, type ImageShape } from "./count_ops.ts";
import { type CellKind, cellOf, type Genotype, nodeCount } from "./genotypes.ts";
import {
  CELL_INPUTS,
  CELL_NODES,
  EDGES,
  type GenotypePrimitive,
  type Primitive,
} from "./primitives.ts";

/** One row of a network's table. */
export interface PartCounts extends Counts {
  /** `stem`, `cells.0`, ..., `classifier` or `auxiliary_head`, as in the state dict. */
  readonly name: string;
  /** What the part is. */
  readonly kind: "stem" | CellKind | "classifier" | "auxiliary";
  /** Height, width and channels of its output; for the two heads 1, 1, classes. */
  readonly output: ImageShape;
}

/** Counts a cell's nodes, given its preprocessed inputs; returns the shape of its output. */
export type CountNodes = (
  counter: Counter,
  cell: { readonly input: ImageShape; readonly kind: CellKind },
) => ImageShape;

/** A stack of cells. */
export interface CellStack {
  /** Outputs of the stems, what the first cell reads: the older one first. */
  readonly inputs: readonly [ImageShape, ImageShape];
  /** Channels of the first cell's nodes. */
  readonly channels: number;
  /** How many cells. */
  readonly layers: number;
  /** Whether the first cell's older input is of double size. */
  readonly reducedBefore: boolean;
  /** Whether BN has scale and shift. */
  readonly affine: boolean;
  /** How the nodes of a cell are counted. */
  readonly countNodes: CountNodes;
}

/** The reduction cells of a stack: those at L div 3 and 2L div 3. */
export function reductionCells(layers: number): number[] {
  return [...new Set([Math.floor(layers / 3), Math.floor(2 * layers / 3)])];
}

/** Counts the cells of a stack, in order. */
export function countCells(stack: CellStack): PartCounts[] {
  const { layers, affine, countNodes } = stack;
  let [older, newer] = stack.inputs;
  let { channels, reducedBefore } = stack;
  return Array.from({ length: layers }, (_, index) => {
    const kind = reductionCells(layers).includes(index) ? "reduce" : "normal";
    if (kind === "reduce") channels *= 2;
    const counter = new Counter({ affine });
    if (reducedBefore) counter.factorizedReduce(older, channels);
    else counter.reluConvBn(older, channels);
    const input = counter.reluConvBn(newer, channels);
    const output = countNodes(counter, { input, kind });
    older = newer;
    newer = output;
    reducedBefore = kind === "reduce";
    return { name: `cells.${index}`, kind, output, ...counter.counts };
  });
}

/** Nodes of a genotype's cells: two operations each. */
export function nodesOfGenotype(genotype: Genotype): CountNodes {
  return (counter, { input, kind }) => {
    const cell = cellOf(genotype, kind);
    const states = countNodesOf(counter, {
      input,
      kind,
      nodes: nodeCount(cell),
      operations: (node) => cell.entries.slice(2 * node, 2 * node + 2),
    });
    return { ...states[cell.concat[0]], channels: cell.concat.length * input.channels };
  };
}

/** Nodes of the supernet's cells: every kept primitive on every edge. */
export function nodesOfSupernet(
  kept: Readonly<Record<CellKind, readonly (readonly Primitive[])[]>>,
): CountNodes {
  return (counter, { input, kind }) => {
    const states = countNodesOf(counter, {
      input,
      kind,
      nodes: CELL_NODES,
      operations: (node) =>
        EDGES.flatMap((edge, index) =>
          edge.node === node
            ? kept[kind][index].map((primitive) => [primitive, edge.source] as const)
            : []
        ),
    });
    return { ...states[CELL_INPUTS], channels: CELL_NODES * input.channels };
  };
}

/** Runs the operations of every node; returns the shapes of all states. */
function countNodesOf(
  counter: Counter,
  { input, kind, nodes, operations }: {
    input: ImageShape;
    kind: CellKind;
    nodes: number;
    operations: (node: number) => readonly (readonly [GenotypePrimitive, number])[];
  },
): ImageShape[] {
  const states: ImageShape[] = Array(CELL_INPUTS).fill(input);
  for (let node = 0; node < nodes; node++) {
    const outputs = operations(node).map(([primitive, source]) =>
      counter.primitive(
        states[source],
        primitive,
        kind === "reduce" && source < CELL_INPUTS ? 2 : 1,
      )
    );
    states.push(outputs[0]);
  }
  return states;
}
