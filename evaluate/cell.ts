/**
 * A cell of the evaluation network: nodes that are the sum of two operations each, some of them
 * concatenated on channels.
 *
 * Per state there is one `branches` call for the first operations of all that read it, per node one
 * `normalisedSum`; only states are ever stored behind their batch norms.
 *
 * Source: arXiv 1904.12760, section 4.3; drop path, Larsson et al., arXiv 1605.07648.
 */

import * as tf from "@tensorflow/tfjs-core";
import { normalisedSum, type SumTerm } from "../backends/ops/normalised_sum.ts";
import {
  type ForwardMode,
  type LazyNorm,
  type NormedBranch,
  normedBranches,
} from "../nn/batch_norm.ts";
import { type ChainedCell, concatChannels } from "../nn/cell_chain.ts";
import { preprocess } from "../nn/cell_operations.ts";
import type { Parameters } from "../nn/parameters.ts";
import { type CellPlan, type CellShape, planCell, type PlannedTerm } from "./cell_plan.ts";

/** How a cell is built. */
export interface CellOptions extends CellShape {
  /** Channels of the outputs of the last cell but one, and of the last. */
  readonly inputs: readonly [number, number];
  /** Whether the last cell reduced, so that the first input is twice as large. */
  readonly afterReduction: boolean;
}

/** How a cell's forward pass is run. */
export interface CellPass {
  /** Training or evaluation. */
  readonly mode: ForwardMode;
  /** `[N]` factors of each droppable term; without them nothing is dropped. */
  readonly dropPath?: readonly tf.Tensor1D[];
}

/** One cell, with its parameters. */
export class EvaluationCell implements ChainedCell {
  /** Whether its output has half the height and width of its inputs. */
  readonly reduction: boolean;
  /** What turns the outputs of the last cell but one, and of the last, into states 0 and 1. */
  readonly preprocess: readonly [NormedBranch, NormedBranch];
  /** Channels of its output. */
  readonly outputs: number;
  readonly #channels: number;
  readonly #plan: CellPlan;

  /**
   * Makes the cell's parameters.
   *
   * @throws {RangeError} If its genotype leaves a state unused.
   */
  constructor(parameters: Parameters, options: CellOptions) {
    const { channels, reduction, genotype } = options;
    this.preprocess = preprocess(parameters, { ...options, affine: true });
    this.reduction = reduction;
    this.outputs = genotype.concat.length * channels;
    this.#channels = channels;
    this.#plan = planCell(parameters, options);
  }

  /** How many terms drop path can drop: rows of factors that a pass takes. */
  get drops(): number {
    return this.#plan.drops;
  }

  /**
   * Runs the cell.
   *
   * @param inputs States 0 and 1, `[N, H, W, C]` float32, preprocessed.
   * @returns `[N, H', W', outputs]`; H' is H / 2 in a reduction cell. The caller disposes, or tidies.
   */
  forward(inputs: readonly [tf.Tensor4D, tf.Tensor4D], pass: CellPass): tf.Tensor4D {
    const { branches, terms, outputs } = this.#plan;
    const states: tf.Tensor4D[] = [...inputs], results: LazyNorm[][] = [];
    const run = (state: number) =>
      branches[state].length === 0
        ? []
        : normedBranches(states[state], branches[state], { mode: pass.mode, activation: "relu" });
    for (const ofNode of terms) {
      while (results.length < states.length) results.push(run(results.length));
      states.push(ofNode.length === 0 ? this.#zeros(inputs) : sumNode(ofNode, results, pass));
    }
    return concatChannels(
      outputs.map(({ state, branch }) => branch < 0 ? states[state] : results[state][branch].y),
    );
  }

  /** A node both of whose operations are `none`. */
  #zeros([{ shape: [batch, height, width] }]: readonly tf.Tensor4D[]): tf.Tensor4D {
    const by = this.reduction ? 2 : 1;
    return tf.zeros([batch, Math.ceil(height / by), Math.ceil(width / by), this.#channels]);
  }
}

function sumNode(
  terms: readonly PlannedTerm[],
  results: readonly LazyNorm[][],
  { mode, dropPath }: CellPass,
): tf.Tensor4D {
  return normalisedSum(terms.map(({ state, branch, rest, drop }): SumTerm => {
    const first = results[state][branch], { y, affine } = rest ? rest(first, mode) : first;
    return { x: y, affine, sampleWeights: drop === undefined ? undefined : dropPath?.[drop] };
  }));
}
