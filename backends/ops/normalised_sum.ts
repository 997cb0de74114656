/**
 * A node of a cell: the weighted sum of its incoming operations, each behind its batch norm.
 *
 *     out = sum_k w_k m_k (scale_k x_k + shift_k)
 *
 * `w_k` is an architecture weight on the device or one value per sample (drop path), `m_k` a dropout
 * mask divided by its keep probability, drawn again in the backward pass instead of stored. With
 * D = the gradient of out, a kernel needs just `sum D x_k` and `sum D` per channel for the gradients
 * of every affine pair and weight; the gradient of x_k is D scaled by channel, which a backend may
 * hand on unevaluated. Source: equation 1 of P-DARTS, with batch norm folded in.
 */

import type * as tf from "@tensorflow/tfjs-core";
import { derivedNumber, type HostNumber } from "../host_number.ts";
import { maskThreshold, type RandomKey } from "../random.ts";
import { hasKernel, registerFusedGradient, runFused } from "./fused.ts";
import { composeNormalisedSum } from "./normalised_sum_composition.ts";

/** Name of the forward kernel; its gradient kernel is {@linkcode NORMALISED_SUM_GRAD}. */
export const NORMALISED_SUM = "PdartsNormalisedSum";
/** Name of the gradient kernel. */
export const NORMALISED_SUM_GRAD = "PdartsNormalisedSumGrad";

/** An elementwise dropout: where it draws, as a `MaskSource`, and the share of elements it drops. */
export interface Dropout {
  /** Names the stream. */
  key: RandomKey;
  /** Distinguishes masks under one key, such as step and edge; an unsigned 32-bit integer. */
  counter: HostNumber;
  /**
   * Share of elements dropped, in [0, 1); the others are divided by 1 - rate. Whether any are dropped
   * must not change between a recorded step and its replays.
   */
  rate: HostNumber;
}

/** One summand. */
export interface SumTerm {
  /** `[N, H, W, C]` float32; the same shape in every term. */
  x: tf.Tensor4D;
  /** `[2, C]` scale and shift; without it the term is x itself. */
  affine?: tf.Tensor2D;
  /** Flat position of this term's weight in the `weights` of the call; without it the weight is 1. */
  weight?: number;
  /** `[N]` factors per sample, such as drop path's; no gradient flows through them. */
  sampleWeights?: tf.Tensor1D;
  /** Applied to the normalised term. */
  dropout?: Dropout;
}

/** One term as plain values; positions are among the kernel's inputs, -1 where absent. */
export interface SumTermSpec {
  x: number;
  affine: number;
  sampleWeights: number;
  /** Flat position in the weights, -1 for a weight of 1. */
  weight: number;
  /** Threshold of the dropout mask's 16-bit words, 0 without dropout. */
  threshold: HostNumber;
  /** Factor of kept elements: 1 / (1 - rate). */
  keepScale: HostNumber;
  key: RandomKey;
  counter: HostNumber;
}

/** Attributes of the normalised-sum kernels. */
export interface NormalisedSumAttrs {
  terms: SumTermSpec[];
  /** Position of the weights among the inputs, or -1. */
  weights: number;
}

/**
 * Sums normalised terms.
 *
 * @param terms At least one, all x of one shape.
 * @param weights Float32 of any shape; terms index it flat.
 * @returns `[N, H, W, C]` float32. The caller disposes.
 * @throws {TypeError} If an x is not a rank-4 float32 tensor, or a term has a weight but the call none.
 * @throws {RangeError} If shapes differ, a weight's position is out of range, or a rate is not in [0, 1).
 */
export function normalisedSum(
  terms: SumTerm[],
  { weights }: { weights?: tf.Tensor } = {},
): tf.Tensor4D {
  checkTerms(terms, weights);
  if (!hasKernel(NORMALISED_SUM)) return composeNormalisedSum(terms, weights);
  const { inputs, attrs } = flattenTerms(terms, weights);
  return runFused(NORMALISED_SUM, { inputs, attrs })[0] as tf.Tensor4D;
}

function checkTerms(terms: SumTerm[], weights: tf.Tensor | undefined): void {
  if (terms.length === 0) throw new RangeError("Cannot run normalisedSum: got no terms");
  const shape = terms[0].x.shape, channels = shape[3];
  for (const { x, affine, weight, sampleWeights } of terms) {
    if (x.rank !== 4 || x.dtype !== "float32") {
      throw new TypeError(
        `Cannot run normalisedSum: want float32 [N, H, W, C], got ${x.dtype} [${x.shape}]`,
      );
    }
    if (x.shape.some((size, axis) => size !== shape[axis])) {
      throw new RangeError(`Cannot run normalisedSum: want terms [${shape}], got [${x.shape}]`);
    }
    if (affine && (affine.shape[0] !== 2 || affine.shape[1] !== channels)) {
      throw new RangeError(
        `Cannot run normalisedSum: want affine [2, ${channels}], got [${affine.shape}]`,
      );
    }
    if (sampleWeights && sampleWeights.size !== shape[0]) {
      throw new RangeError(
        `Cannot run normalisedSum: want ${shape[0]} sample weights, got ${sampleWeights.size}`,
      );
    }
    if (weight === undefined) continue;
    if (!weights) {
      throw new TypeError("Cannot run normalisedSum: a term has a weight, the call none");
    }
    if (!Number.isInteger(weight) || weight < 0 || weight >= weights.size) {
      throw new RangeError(
        `Cannot run normalisedSum: want a weight position below ${weights.size}, got ${weight}`,
      );
    }
  }
}

function flattenTerms(
  terms: SumTerm[],
  weights: tf.Tensor | undefined,
): { inputs: tf.Tensor[]; attrs: NormalisedSumAttrs } {
  const inputs: tf.Tensor[] = [];
  const add = (tensor: tf.Tensor | undefined) => tensor ? inputs.push(tensor) - 1 : -1;
  const specs = terms.map((term): SumTermSpec => ({
    x: add(term.x),
    affine: add(term.affine),
    sampleWeights: add(term.sampleWeights),
    weight: term.weight ?? -1,
    threshold: term.dropout ? derivedNumber(maskThreshold, term.dropout.rate) : 0,
    keepScale: term.dropout ? derivedNumber((rate) => 1 / (1 - rate), term.dropout.rate) : 1,
    key: term.dropout?.key ?? [0, 0],
    counter: term.dropout?.counter ?? 0,
  }));
  return { inputs, attrs: { terms: specs, weights: add(weights) } };
}

/**
 * The gradient kernel takes [inputs..., dy] of the forward, and yields for every term the gradient of
 * x, and of affine where there is one, in the order of the inputs, then that of the weights. Factors
 * per sample get none.
 */
registerFusedGradient<NormalisedSumAttrs>(NORMALISED_SUM, ({ dys, inputs, attrs }) => {
  const results = runFused(NORMALISED_SUM_GRAD, { inputs: [...inputs, dys[0]], attrs });
  const withoutGradient = new Set(attrs.terms.map((term) => term.sampleWeights));
  let next = 0;
  return inputs.map((_, index) => withoutGradient.has(index) ? undefined : results[next++]);
});
