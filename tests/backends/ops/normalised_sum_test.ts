/** The node of a cell on every device: batch norms, weights, sample weights and dropout masks. */

import type * as tf from "@tensorflow/tfjs-core";
import { normalisedSum, type SumTerm } from "../../../backends/ops/normalised_sum.ts";
import { coveringSet } from "../covering_set.ts";
import { onEachDevice } from "../devices.ts";
import { naiveNormalisedSum, type TermPlan } from "../naive/normalised_sum.ts";
import type { Tensors64 } from "../naive/tensor64.ts";
import { checkCases, checkReference, type OpCase } from "../op_case.ts";
import { Samples } from "../samples.ts";

/** A term by its parts. */
interface TermShape extends TermPlan {
  affine?: boolean;
  sampleWeights?: boolean;
}

function sumCase(shape: [number, number, number, number], terms: TermShape[]): OpCase {
  const name = `[${shape}] ${terms.map(termName).join(" + ")}`;
  const samples = new Samples(name);
  const inputs: Tensors64 = {};
  terms.forEach(({ affine, sampleWeights }, position) => {
    inputs[`${position}.x`] = samples.uniform(shape);
    if (affine) inputs[`${position}.affine`] = samples.uniform([2, shape[3]], { bound: 2 });
    if (sampleWeights) inputs[`${position}.sampleWeights`] = samples.uniform([shape[0]]);
  });
  const weighted = terms.some(({ weight }) => weight !== undefined);
  if (weighted) inputs.weights = samples.uniform([3, 5]);
  return {
    name,
    inputs,
    differentiate: Object.keys(inputs).filter((key) => !key.endsWith("sampleWeights")),
    lossOf: ["y"],
    run: (tensors) => ({
      y: normalisedSum(
        terms.map(({ weight, dropout }, position): SumTerm => ({
          x: tensors[`${position}.x`] as tf.Tensor4D,
          affine: tensors[`${position}.affine`] as tf.Tensor2D | undefined,
          sampleWeights: tensors[`${position}.sampleWeights`] as tf.Tensor1D | undefined,
          weight,
          dropout,
        })),
        { weights: tensors.weights },
      ),
    }),
    naive: (tensors) => naiveNormalisedSum(tensors, terms),
    small: terms.length * shape.reduce((size, side) => size * side, 1) <= 2e5,
  };
}

function termName({ affine, weight, sampleWeights, dropout }: TermShape): string {
  const parts = [
    affine ? "norm" : "x",
    weight === undefined ? "" : `w${weight}`,
    sampleWeights ? "samples" : "",
    dropout ? `drop ${dropout.rate}` : "",
  ];
  return parts.filter((part) => part).join(" ");
}

/** Terms that together hold each part alone and with the others; weights repeat and are out of order. */
const TERMS: TermShape[] = [
  { affine: true, weight: 14 },
  {},
  { affine: true, sampleWeights: true },
  { weight: 3, dropout: { key: [1, 2], counter: 3, rate: 0.4 } },
  {
    affine: true,
    weight: 14,
    sampleWeights: true,
    dropout: { key: [4, 5], counter: 0, rate: 0.1 },
  },
  { sampleWeights: true },
  { affine: true },
  { affine: true, weight: 0, dropout: { key: [2 ** 32 - 1, 6], counter: 2 ** 32 - 1, rate: 0.7 } },
  { dropout: { key: [7, 8], counter: 1, rate: 0 } },
  { weight: 7 },
  { affine: true, dropout: { key: [9, 9], counter: 5, rate: 0.999 } },
];

interface Factors {
  batch: number;
  size: readonly [number, number];
  channels: number;
  /** First of the terms taken. */
  first: number;
  count: number;
}

const CASES = coveringSet<Factors>({
  batch: [1, 2, 3, 17],
  size: [[1, 1], [7, 7], [8, 8], [31, 31], [32, 32], [7, 31], [32, 5]],
  channels: [1, 3, 5, 16, 36, 108],
  first: TERMS.map((_, index) => index),
  count: [1, 2, 5, 8],
}, {
  allowed: ({ batch, size, channels, count }) =>
    batch * size[0] * size[1] * channels * count <= 6e5,
}).map(({ batch, size, channels, first, count }) =>
  sumCase(
    [batch, ...size, channels],
    Array.from({ length: count }, (_, index) => TERMS[(first + index) % TERMS.length]),
  )
);

/** Bytes of the fewest such rows that make a slice on WebGPU, a multiple of 256 for each tensor. */
const WIDE_SLICE = 131584;

/** So many channels that a block of threads cannot take a row of them, in whole vectors and not. */
const WIDE_CASES = [
  sumCase([3, 1, 2, 257], TERMS.slice(0, 5)),
  sumCase([2, 3, 1, 1028], TERMS.slice(3, 9)),
].map((one) => ({ ...one, binding: WIDE_SLICE }));

onEachDevice((test) => {
  test("normalisedSum() computes nodes and their gradients", (on) => checkCases(on, CASES));

  test("normalisedSum() takes hundreds of channels", (on) => checkCases(on, WIDE_CASES));
});

Deno.test("naiveNormalisedSum() has the gradients that finite differences give", () => {
  checkReference(sumCase([3, 2, 3, 5], TERMS), { places: 4 });
});
