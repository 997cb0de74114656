/**
 * Lazy batch norms in a network's forward pass: branches of a state with the norm behind each, as pairs
 * (y, affine) by the batch's own statistics in training and by the running ones in evaluation.
 *
 * Invariants: in training every norm's moments are kept until `BatchNormUpdates.apply`, which moves all
 * running statistics in one op after the step; a pass that fails leaves them as they were.
 *
 * Source: Ioffe and Szegedy, arXiv 1502.03167.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Branch, BranchesOptions, BranchOutput } from "../backends/ops/branches.ts";
import { runningStatistics } from "../backends/ops/running_statistics.ts";
import type { FoldedNorms } from "./folded_norms.ts";
import { branchesOfAnySize } from "./odd_sizes.ts";
import type { BatchNorm } from "./parameters.ts";

/** The numbers of a batch norm. */
export interface BatchNormConfig {
  /** Added to a variance before its root. */
  epsilon: number;
  /** Weight of the newest batch in the running statistics. */
  momentum: number;
}

/** As torch.nn.BatchNorm2d has them by default. */
export const BATCH_NORM: Readonly<BatchNormConfig> = { epsilon: 1e-5, momentum: 0.1 };

/** A branch, and the batch norm behind it, where there is one. */
export interface NormedBranch {
  /** The operation, without `statistics` and `norm` of its own. */
  branch: Branch;
  /** The norm behind it. */
  norm?: BatchNorm;
}

/** A result before its batch norm: `scale y + shift` per channel stands for the norm of y. */
export type LazyNorm = Pick<BranchOutput, "y" | "affine">;

/** What takes the batch moments of a training pass. */
export type MomentsCollector = Pick<BatchNormUpdates, "add">;

/** How a forward pass is run. */
export interface ForwardMode {
  /** Collects the moments of a training pass; absent in evaluation. */
  updates?: MomentsCollector;
  /** Of every batch norm; default 1e-5. */
  epsilon?: number;
  /** Whether filters, gammas and betas get gradients; default true. */
  filterGradient?: boolean;
  /** Batch norms that have gone into their filters; only in evaluation. */
  folded?: FoldedNorms;
}

/** The mode of a pass that runs again in the same way, so that its moments have been collected. */
export function repeatedMode(mode: ForwardMode): ForwardMode {
  return { ...mode, updates: mode.updates && { add: () => {} } };
}

/**
 * Applies branches, each followed by its batch norm, to a state.
 *
 * @param x `[N, H, W, C]` float32.
 * @param specs Branches without `statistics` and `norm` of their own.
 * @returns One pair per branch, in order. The caller disposes.
 */
export function normedBranches(
  x: tf.Tensor4D,
  specs: readonly NormedBranch[],
  { mode, ...options }: { mode: ForwardMode } & BranchesOptions,
): LazyNorm[] {
  const { updates, epsilon = BATCH_NORM.epsilon, filterGradient, folded } = mode;
  const list = specs.map(({ branch, norm }): Branch => {
    if (branch.kind === "identity") return branch;
    if (!updates || !norm) {
      const own = folded && norm ? folded.of({ branch, norm }).branch : branch;
      return { ...own, statistics: false } as Branch;
    }
    const affine = norm.gamma && norm.beta ? { gamma: norm.gamma, beta: norm.beta } : undefined;
    return { ...branch, statistics: true, ...(affine && { norm: affine }) };
  });
  const outputs = branchesOfAnySize(x, list, { ...options, epsilon, filterGradient });
  return outputs.map(({ y, affine, moments }, index) => {
    const { branch, norm } = specs[index];
    if (!norm) return { y };
    if (folded) return { y, affine: folded.of({ branch, norm }).affine };
    if (!updates) return { y, affine: runningAffine(norm, epsilon) };
    updates.add(norm, { moments: moments!, count: y.size / norm.channels });
    return { y, affine };
  });
}

/** Scale and shift of a batch norm by its running statistics, `[2, channels]`; the caller disposes. */
export function runningAffine(
  { running, gamma, beta }: BatchNorm,
  epsilon = BATCH_NORM.epsilon,
): tf.Tensor2D {
  return tf.tidy(() => {
    const [mean, variance] = tf.unstack(running);
    const inverse = tf.rsqrt(tf.add(variance, epsilon));
    const scale = gamma ? tf.mul(inverse, gamma) : inverse;
    const centred = tf.mul(mean, scale);
    return tf.stack([scale, beta ? tf.sub(beta, centred) : tf.neg(centred)]) as tf.Tensor2D;
  });
}

/** The batch moments of one training pass, until they enter the running statistics. */
export class BatchNormUpdates {
  readonly #norms: BatchNorm[] = [];
  readonly #moments: tf.Tensor2D[] = [];
  readonly #counts: number[] = [];
  #updated: tf.Tensor2D[] = [];
  readonly #momentum: number;

  /** Of norms with one momentum, default 0.1. */
  constructor({ momentum }: Pick<BatchNormConfig, "momentum"> = BATCH_NORM) {
    this.#momentum = momentum;
  }

  /**
   * Keeps a norm's moments, past any tidy.
   *
   * @param batch.moments `[2, channels]`: mean and biased variance.
   * @param batch.count Values per channel they were taken over.
   */
  add(norm: BatchNorm, { moments, count }: { moments: tf.Tensor2D; count: number }): void {
    this.#norms.push(norm);
    this.#moments.push(tf.keep(moments));
    this.#counts.push(count);
  }

  /** Computes the new running statistics after the last `add`; `apply` has then only to assign them. */
  prepare(): void {
    const running = this.#norms.map((norm) => norm.running);
    const options = { momentum: this.#momentum, counts: this.#counts };
    this.#updated = runningStatistics(running, this.#moments, options);
  }

  /** Moves the running statistics, and forgets the moments; cannot fail for memory if prepared. */
  apply(): void {
    if (this.#updated.length === 0) this.prepare();
    this.#updated.forEach((value, index) => this.#norms[index].running.assign(value));
    this.dispose();
  }

  /** Forgets the moments, and statistics that were prepared. */
  dispose(): void {
    tf.dispose([this.#moments, this.#updated]);
    for (const list of [this.#norms, this.#moments, this.#counts, this.#updated]) list.length = 0;
  }
}
