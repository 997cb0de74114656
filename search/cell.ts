/**
 * A cell of the supernet: four nodes, each the sum over its edges and their kept primitives, weighted
 * by the softmax of the alphas; the nodes concatenated on channels.
 *
 * Per state there is one `branches` call for the first operations of all edges that leave it, per node
 * one `normalisedSum`; only states are ever stored behind their batch norms.
 *
 * Source: arXiv 1904.12760, section 3.1, equation 1; skip dropout, section 3.3.
 */

import * as tf from "@tensorflow/tfjs-core";
import { derivedNumber } from "../backends/host_number.ts";
import { type Dropout, normalisedSum, type SumTerm } from "../backends/ops/normalised_sum.ts";
import {
  type ForwardMode,
  type LazyNorm,
  type NormedBranch,
  normedBranches,
} from "../nn/batch_norm.ts";
import { concatChannels } from "../nn/cell_chain.ts";
import { preprocess } from "../nn/cell_operations.ts";
import type { Parameters } from "../nn/parameters.ts";
import { type CellPlan, type CellShape, planCell, type PlannedTerm } from "./cell_plan.ts";
import type { KeptPrimitives } from "./edge_weights.ts";

/** How a cell is built. */
export interface CellOptions extends CellShape {
  /** Channels of the outputs of the last cell but one, and of the last. */
  readonly inputs: readonly [number, number];
  /** Whether the last cell reduced, so that the first input is twice as large. */
  readonly afterReduction: boolean;
  /** Primitives of each edge, `[14][kept]`. */
  readonly kept: KeptPrimitives;
}

/** How a cell's forward pass is run. */
export interface CellPass {
  /** Training or evaluation, and what gets gradients. */
  readonly mode: ForwardMode;
  /** `[14, kept]`: softmax of the alphas. */
  readonly weights: tf.Tensor2D;
  /** Dropout of the skips; edge e draws under `counter + e`. */
  readonly dropout?: Dropout;
}

/** One cell, with its parameters. */
export class SearchCell {
  /** Whether its output has half the height and width of its inputs. */
  readonly reduction: boolean;
  /** What turns the outputs of the last cell but one, and of the last, into states 0 and 1. */
  readonly preprocess: readonly [NormedBranch, NormedBranch];
  readonly #channels: number;
  readonly #plan: CellPlan;

  /** Makes the cell's parameters. */
  constructor(parameters: Parameters, options: CellOptions) {
    const { channels, reduction } = options;
    this.preprocess = preprocess(parameters, { ...options, affine: false });
    this.reduction = reduction;
    this.#channels = channels;
    this.#plan = planCell(parameters, options);
  }

  /**
   * Runs the cell.
   *
   * @param inputs States 0 and 1, `[N, H, W, C]` float32, preprocessed.
   * @returns `[N, H', W', 4 C]`; H' is H / 2 in a reduction cell. The caller disposes, or tidies.
   */
  forward(inputs: readonly [tf.Tensor4D, tf.Tensor4D], pass: CellPass): tf.Tensor4D {
    const { branches, terms, outputs } = this.#plan;
    const states: tf.Tensor4D[] = [...inputs];
    const results: LazyNorm[][] = [];
    for (const ofNode of terms) {
      while (results.length < states.length) {
        const list = branches[results.length], state = states[results.length];
        results.push(
          list.length === 0
            ? []
            : normedBranches(state, list, { mode: pass.mode, activation: "relu" }),
        );
      }
      states.push(ofNode.length === 0 ? this.#zeros(inputs) : sumNode(ofNode, results, pass));
    }
    const nodes = states.slice(inputs.length).map((state, node) => {
      const place = outputs[inputs.length + node] ?? -1;
      return place < 0 ? state : results[inputs.length + node][place].y;
    });
    return concatChannels(nodes);
  }

  /** A node all of whose edges keep `none` alone. */
  #zeros([{ shape: [batch, height, width] }]: readonly tf.Tensor4D[]): tf.Tensor4D {
    const by = this.reduction ? 2 : 1;
    return tf.zeros([batch, Math.ceil(height / by), Math.ceil(width / by), this.#channels]);
  }
}

function sumNode(
  terms: readonly PlannedTerm[],
  results: readonly LazyNorm[][],
  { mode, weights, dropout }: CellPass,
): tf.Tensor4D {
  const summed = terms.map(({ edge, state, branch, second, weight, identity }): SumTerm => {
    const first = results[state][branch];
    const { y, affine } = second
      ? normedBranches(first.y, [second], { mode, affine: first.affine })[0]
      : first;
    const dropped = identity && dropout
      ? { ...dropout, counter: derivedNumber((counter) => (counter + edge) >>> 0, dropout.counter) }
      : undefined;
    return { x: y, affine, weight, dropout: dropped };
  });
  return normalisedSum(summed, { weights });
}
