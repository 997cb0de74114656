/**
 * Cells in a row, each of which reads the outputs of the two before it: who reads what, and the states
 * that an output becomes in its readers.
 *
 * Invariant: the ReLU convolutions in front of the next two cells run in one op on a cell's output, so
 * that its gradients meet there. Producers -2 and -1 are what the stem puts in front of cell 0.
 */

import * as tf from "@tensorflow/tfjs-core";
import { normalisedSum } from "../backends/ops/normalised_sum.ts";
import { type ForwardMode, type NormedBranch, normedBranches } from "./batch_norm.ts";

/** A cell, as far as those in front of it know it. */
export interface ChainedCell {
  /** What turns the outputs of the last cell but one, and of the last, into states 0 and 1. */
  readonly preprocess: readonly [NormedBranch, NormedBranch];
}

/** An input of a cell. */
export interface CellInput {
  /** Index of the cell. */
  readonly cell: number;
  /** The state: 0 comes from the last cell but one, 1 from the last. */
  readonly input: 0 | 1;
}

/** Whether the cell at an index reduces. */
export function isReduction(index: number, layers: number): boolean {
  return index === Math.floor(layers / 3) || index === Math.floor(2 * layers / 3);
}

/** The inputs of `cells` cells that take a producer's output; the producer is a cell, or -2 or -1. */
export function consumersOf(producer: number, cells: number): CellInput[] {
  const consumers: CellInput[] = [
    { cell: producer + 1, input: 1 },
    { cell: producer + 2, input: 0 },
  ];
  return consumers.filter(({ cell }) => cell >= 0 && cell < cells);
}

/** The inputs of `cells` cells that come from the stem. */
export function stemConsumers(cells: number): CellInput[] {
  return [...consumersOf(-2, cells), ...consumersOf(-1, cells)];
}

/**
 * The states that an output becomes in its consumers, in their order.
 *
 * @param output `[N, H, W, C]` float32.
 */
export function prepareStates(
  output: tf.Tensor4D,
  { cells, consumers, mode }: {
    cells: readonly ChainedCell[];
    consumers: readonly CellInput[];
    mode: ForwardMode;
  },
): tf.Tensor4D[] {
  const specs = consumers.map(({ cell, input }) => cells[cell].preprocess[input]);
  return normedBranches(output, specs, { mode, activation: "relu" })
    .map(({ y, affine }) => normalisedSum([{ x: y, affine }]));
}

/** Concatenation on channels whose tape, unlike `tf.concat`'s, does not hold on to the parts. */
export function concatChannels(parts: tf.Tensor4D[]): tf.Tensor4D {
  const sizes = parts.map((part) => part.shape[3]);
  const concat = tf.customGrad((...args) => ({
    value: tf.concat(args.slice(0, parts.length) as tf.Tensor4D[], 3),
    gradFunc: (dy: tf.Tensor) => tf.split(dy, sizes, 3),
  }));
  return concat(...parts) as tf.Tensor4D;
}
