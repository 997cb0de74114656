/**
 * Batch norms folded into the convolutions in front of them, for inference: a filter is multiplied by
 * `gamma / sqrt(variance + epsilon)` of its result's channel, and what is left is a constant shift.
 *
 * Invariant: a norm is folded when it is met first and stays so, whatever becomes of its parameters.
 *
 * Source: Jacob et al., arXiv 1712.05877, section 3.2.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Branch } from "../backends/ops/branches.ts";
import { BATCH_NORM, type NormedBranch, runningAffine } from "./batch_norm.ts";
import type { BatchNorm } from "./parameters.ts";

/** A branch with its norm's scale in its filters. */
export interface FoldedBranch {
  /** The operation. */
  readonly branch: Branch;
  /** `[2, M]`: ones, and the shift. */
  readonly affine: tf.Tensor2D;
}

/** The folded branches of one network. Dispose when done. */
export class FoldedNorms {
  readonly #epsilon: number;
  readonly #folded = new Map<BatchNorm, FoldedBranch>();
  readonly #tensors: tf.Tensor[] = [];

  /** Of norms with one epsilon, default 1e-5. */
  constructor(epsilon: number = BATCH_NORM.epsilon) {
    this.#epsilon = epsilon;
  }

  /**
   * A branch by the running statistics of its norm.
   *
   * @throws {TypeError} If it has no filters, as a pool has none.
   */
  of({ branch, norm }: Required<NormedBranch>): FoldedBranch {
    const known = this.#folded.get(norm);
    if (known) return known;
    const made = this.#fold({ branch, norm });
    this.#folded.set(norm, made);
    return made;
  }

  /** Frees the filters and shifts. */
  dispose(): void {
    tf.dispose(this.#tensors);
    this.#tensors.length = 0;
    this.#folded.clear();
  }

  #fold({ branch, norm }: Required<NormedBranch>): FoldedBranch {
    const [scale, shift] = tf.tidy(() => tf.unstack(runningAffine(norm, this.#epsilon)));
    try {
      const affine = tf.tidy(() => tf.stack([tf.onesLike(shift), shift]) as tf.Tensor2D);
      this.#tensors.push(tf.keep(affine));
      const folded = scaledBranch(branch, scale as tf.Tensor1D);
      this.#tensors.push(...folded.scaled.map((filter) => tf.keep(filter)));
      return { branch: folded.branch, affine };
    } finally {
      tf.dispose([scale, shift]);
    }
  }
}

/** A branch whose result is multiplied by a scale `[M]`, and its new filters. */
function scaledBranch(
  branch: Branch,
  scale: tf.Tensor1D,
): { branch: Branch; scaled: tf.Tensor4D[] } {
  const by = (filter: tf.Tensor4D, factor: tf.Tensor = scale) =>
    tf.mul(filter, factor) as tf.Tensor4D;
  switch (branch.kind) {
    case "separable": {
      const pointwise = by(branch.pointwise);
      return { branch: { ...branch, pointwise }, scaled: [pointwise] };
    }
    case "pointwise":
    case "convolution": {
      const filter = by(branch.filter);
      return { branch: { ...branch, filter }, scaled: [filter] };
    }
    case "factorized_reduce": {
      const [first, second] = tf.split(scale, 2);
      const filters: [tf.Tensor4D, tf.Tensor4D] = [
        by(branch.filters[0], first),
        by(branch.filters[1], second),
      ];
      return { branch: { ...branch, filters }, scaled: filters };
    }
    default:
      throw new TypeError(`Cannot fold a batch norm into ${branch.kind}: it has no filters`);
  }
}
