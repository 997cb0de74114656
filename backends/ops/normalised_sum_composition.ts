/** The normalised sum in plain tfjs ops: the definition that kernels are tested against. */

import * as tf from "@tensorflow/tfjs-core";
import { hostNumber } from "../host_number.ts";
import { maskThreshold, maskWord } from "../random.ts";
import { normalise } from "./branches_composition.ts";
import type { Dropout, SumTerm } from "./normalised_sum.ts";

/** {@linkcode normalisedSum} as tfjs ops. */
export function composeNormalisedSum(terms: SumTerm[], weights?: tf.Tensor): tf.Tensor4D {
  return tf.tidy(() => {
    const flat = weights && tf.reshape(weights, [weights.size]);
    const summands = terms.map(({ x, affine, weight, sampleWeights, dropout }) => {
      let term: tf.Tensor4D = affine ? normalise(x, affine) : x;
      if (dropout) term = tf.mul(term, dropoutMask(x.shape, dropout));
      if (sampleWeights) term = tf.mul(term, tf.reshape(sampleWeights, [x.shape[0], 1, 1, 1]));
      return weight === undefined
        ? term
        : tf.mul(term, tf.slice(flat!, [weight], [1])) as tf.Tensor4D;
    });
    // A single bare term would be the caller's own x.
    return tf.clone(summands.reduce((sum, term) => tf.add(sum, term)));
  });
}

/** A mask of 0 and 1 / (1 - rate). */
export function dropoutMask(
  shape: [number, number, number, number],
  dropout: Dropout,
): tf.Tensor4D {
  const rate = hostNumber(dropout.rate), threshold = maskThreshold(rate);
  const keepScale = 1 / (1 - rate);
  const source = { key: dropout.key, counter: hostNumber(dropout.counter) };
  const mask = new Float32Array(shape.reduce((size, side) => size * side, 1));
  for (let element = 0; element < mask.length; element++) {
    if (maskWord(source, element) >= threshold) mask[element] = keepScale;
  }
  return tf.tensor4d(mask, shape);
}
