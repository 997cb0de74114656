/**
 * The naive normalised sum, in float64.
 *
 * Inputs: `0.x`, `0.affine`, `0.sampleWeights` by the term's position, and `weights`. Output: `y`.
 */

import { maskThreshold, maskWord, type RandomKey } from "../../../backends/random.ts";
import { naiveNormalise } from "./batch_norm.ts";
import {
  accumulate,
  dot,
  type NaiveResult,
  type Tensor64,
  type Tensors64,
  zeros,
} from "./tensor64.ts";

/** A term without its tensors. */
export interface TermPlan {
  /** Flat position in the weights. */
  weight?: number;
  dropout?: { key: RandomKey; counter: number; rate: number };
}

/** Sums the terms. */
export function naiveNormalisedSum(inputs: Tensors64, plans: TermPlan[]): NaiveResult {
  const y = zeros(inputs["0.x"].shape);
  const terms = plans.map((plan, position) => {
    const x = inputs[`${position}.x`], affine = inputs[`${position}.affine`];
    const normalised = affine ? naiveNormalise(x, affine) : undefined;
    const factors = elementFactors(x, plan, inputs[`${position}.sampleWeights`]);
    const weight = plan.weight === undefined ? 1 : inputs.weights.values[plan.weight];
    const masked = times(normalised?.y ?? x, factors);
    accumulate(y, scaled(masked, weight));
    return { plan, normalised, factors, weight, masked };
  });
  const gradients = (cotangents: Tensors64): Tensors64 => {
    const dy = cotangents.y, named: Tensors64 = {};
    if (inputs.weights) named.weights = zeros(inputs.weights.shape);
    terms.forEach(({ plan, normalised, factors, weight, masked }, position) => {
      const own = times(scaled(dy, weight), factors);
      const before = normalised?.gradients(own);
      named[`${position}.x`] = before?.x ?? own;
      if (before) named[`${position}.affine`] = before.affine;
      if (plan.weight !== undefined) named.weights.values[plan.weight] += dot(dy, masked);
    });
    return named;
  };
  return { outputs: { y }, gradients };
}

/** The product of dropout mask and sample weight, per element. */
function elementFactors(x: Tensor64, { dropout }: TermPlan, perSample?: Tensor64): Tensor64 {
  const factors = zeros(x.shape), image = x.values.length / x.shape[0];
  for (let element = 0; element < factors.values.length; element++) {
    let factor = perSample?.values[Math.floor(element / image)] ?? 1;
    if (dropout) {
      const kept = maskWord(dropout, element) >= maskThreshold(dropout.rate);
      factor *= kept ? 1 / (1 - dropout.rate) : 0;
    }
    factors.values[element] = factor;
  }
  return factors;
}

function times(a: Tensor64, b: Tensor64): Tensor64 {
  return { shape: a.shape, values: a.values.map((value, at) => value * b.values[at]) };
}

function scaled(a: Tensor64, factor: number): Tensor64 {
  return { shape: a.shape, values: a.values.map((value) => value * factor) };
}
