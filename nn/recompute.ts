/**
 * Pieces of a network that keep nothing for their gradients but their inputs, and are computed a second
 * time when a backward pass comes to them: memory for time.
 *
 * Invariants: the second time the same ops run on the same values, and gradients add up in the same
 * order as without recomputing, so that results are the same bits; `lossGradients` alone understands
 * such a piece. Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174.
 */

import * as tf from "@tensorflow/tfjs-core";
import { activeTape, withoutTape } from "./tape.ts";

/** Ways to use memory, the default first. */
export const MEMORY_MODES = ["normal", "low"] as const;
/** Whether all is kept that gradients need, or pieces of a network are computed twice. */
export type MemoryMode = typeof MEMORY_MODES[number];

/**
 * Runs a piece of a network; tensors it makes are freed but its outputs, and what the tape keeps.
 *
 * @param inputs All tensors that it reads and that depend on a trained variable, but variables.
 * @param piece Computes the same outputs from the same inputs whenever it is called; may read variables.
 *   `again` tells the call from the backward pass, for which there is nothing to count or collect.
 * @param options.recompute Whether nothing is kept but its inputs.
 * @returns What `piece` returns. The caller disposes, or tidies.
 */
export function runPiece<Inputs extends readonly tf.Tensor[], Output extends tf.Tensor>(
  inputs: Inputs,
  piece: (inputs: Inputs, again: boolean) => Output[],
  { recompute }: { recompute: boolean },
): Output[] {
  const tape = activeTape();
  if (!tape || !recompute) return tf.tidy(() => piece(inputs, false));
  const distinct = [...new Set(inputs)];
  const { outputs, saved } = withoutTape(() => ({
    outputs: piece(inputs, false),
    saved: distinct.map((input) => tf.keep(tf.clone(input))),
  }));
  const again = (clones: readonly tf.Tensor[]) => {
    const cloned = inputs.map((input) => clones[distinct.indexOf(input)]);
    return piece(cloned as readonly tf.Tensor[] as Inputs, true);
  };
  tape.push({
    kernelName: "Recomputed",
    inputs: Object.fromEntries(distinct.entries()),
    outputs,
    saved,
    again,
  });
  return outputs;
}

/**
 * How many cells of a network to recompute, from the first on: all but those at its end that together
 * keep no more than the largest keeps alone. These cost no memory, for they are freed when the backward
 * pass comes to the largest.
 *
 * @param sizes What each cell keeps, in any unit; at least one.
 */
export function recomputedCells(sizes: readonly number[]): number {
  const largest = Math.max(...sizes);
  let first = sizes.length, kept = 0;
  while (first > 0 && kept + sizes[first - 1] <= largest) kept += sizes[--first];
  return first;
}
