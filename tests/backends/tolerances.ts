/**
 * How near results must be, by dtype: the largest `max|actual - expected| / max|expected|` of a tensor.
 *
 * float32 carries 6e-8. A forward value here is a sum of at most 7 * 7 * 108 products, added in any
 * order, so an error of `sqrt(5292) * 6e-8 = 4e-6` of the largest value is ordinary. A gradient of a
 * filter or a weight adds up to 17 * 32 * 32 products, `sqrt(17408) * 6e-8 = 8e-6`, which cancel in
 * part: a weight's few hundred random terms leave a tenth of what they would add up to, and the batch
 * norm's gradient subtracts two such sums, scaled by up to `1 / sqrt(epsilon) = 316`.
 */

/** Limits for one dtype. */
export interface Tolerance {
  forward: number;
  gradient: number;
  /** Forward and gradient against the composition, which rounds every intermediate tensor itself. */
  composed: number;
  /** `max|expected|` counts as at least this, so that a tensor of zeros can be compared. */
  floor: number;
}

/** By the dtype in which a backend computes. */
export const TOLERANCES = {
  float32: { forward: 1e-5, gradient: 1e-4, composed: 2e-4, floor: 1e-5 },
} as const satisfies Record<string, Tolerance>;

/**
 * Where results of branches are kept as float16, which carries 4.9e-4 and is exact to 6e-8 below 6e-5:
 * gradients and statistics are made of the rounded values. A max pool's gradient goes where the
 * unrounded values say.
 */
export const FLOAT16_STORAGE: Tolerance = {
  forward: 2e-3,
  gradient: 5e-3,
  composed: 5e-3,
  floor: 1e-3,
};

/** The same as bf16, which carries 3.9e-3 at any size: eight times float16's. */
export const BFLOAT16_STORAGE: Tolerance = {
  forward: 1.6e-2,
  gradient: 4e-2,
  composed: 4e-2,
  floor: 1e-3,
};

/**
 * Central differences of the float64 references, step 1e-5: the rest term is 1e-10 of the third
 * derivative, rounding 1e-16 / 1e-5 of the sum of all outputs.
 */
export const FINITE_DIFFERENCES = { step: 1e-5, relative: 1e-6 } as const;
