/** Builds cases of nodes: branches of every kind, their weighted sum, and a sum that takes it twice. */

import * as tf from "@tensorflow/tfjs-core";
import { normalisedSum } from "../../../backends/ops/normalised_sum.ts";
import { naiveNormalisedSum } from "../naive/normalised_sum.ts";
import { accumulate, type Tensors64 } from "../naive/tensor64.ts";
import type { OpCase } from "../op_case.ts";
import { Samples } from "../samples.ts";
import { branchesCase, type BranchesPlan, type BranchShape } from "./branches_cases.ts";

const DROPOUT = { key: [5, 6] as [number, number], counter: 7, rate: 0.25 };

/** Makes the case of a call whose branches have one output shape. */
export function nodeCase(plan: BranchesPlan): OpCase {
  const base = branchesCase(plan), positions = plan.branches.map((_, position) => position);
  const samples = new Samples(`${base.name} node`);
  const channels = plan.branches[0].results ?? plan.x[3];
  const inputs: Tensors64 = {
    ...base.inputs,
    weights: samples.uniform([positions.length]),
    outer: samples.uniform([2, channels]),
  };
  return {
    ...base,
    inputs,
    differentiate: [...base.differentiate, "weights", "outer"],
    lossOf: ["y"],
    run: (tensors) =>
      tf.tidy(() => {
        const outputs = base.run(tensors), { weights } = tensors;
        const node = normalisedSum(
          positions.map((position) => ({
            x: outputs[`${position}.y`] as tf.Tensor4D,
            affine: outputs[`${position}.affine`] as tf.Tensor2D | undefined,
            weight: position,
          })),
          { weights },
        );
        const y = normalisedSum([
          { x: node, affine: tensors.outer as tf.Tensor2D, weight: 0 },
          { x: node, dropout: DROPOUT },
        ], { weights });
        return { y };
      }),
    naive: (tensors) => {
      const state = base.naive(tensors), { weights } = tensors;
      const terms: Tensors64 = { weights };
      for (const position of positions) {
        terms[`${position}.x`] = state.outputs[`${position}.y`];
        const affine = state.outputs[`${position}.affine`];
        if (affine) terms[`${position}.affine`] = affine;
      }
      const node = naiveNormalisedSum(terms, positions.map((weight) => ({ weight })));
      const { y: sum } = node.outputs;
      const outer = naiveNormalisedSum(
        { "0.x": sum, "0.affine": tensors.outer, "1.x": sum, weights },
        [{ weight: 0 }, { dropout: DROPOUT }],
      );
      const gradients = (cotangents: Tensors64): Tensors64 => {
        const dOuter = outer.gradients(cotangents);
        accumulate(dOuter["0.x"], dOuter["1.x"]);
        const dNode = node.gradients({ y: dOuter["0.x"] });
        accumulate(dNode.weights, dOuter.weights);
        const dState: Tensors64 = {};
        for (const position of positions) {
          dState[`${position}.y`] = dNode[`${position}.x`];
          const affine = dNode[`${position}.affine`];
          if (affine) dState[`${position}.affine`] = affine;
        }
        return {
          ...state.gradients(dState),
          weights: dNode.weights,
          outer: dOuter["0.affine"],
        };
      };
      return { outputs: outer.outputs, gradients };
    },
  };
}

/** Branches of every kind at stride 1. */
export function normal(results: number): BranchShape[] {
  return [
    { kind: "max_pool" },
    { kind: "avg_pool" },
    { kind: "identity" },
    { kind: "separable", kernel: 5, dilation: 2, results },
    { kind: "pointwise", results, norm: true },
    { kind: "convolution", kernel: 3, results },
    { kind: "separable", kernel: 3, results, statistics: false },
    { kind: "identity" },
  ];
}

/** Branches of every kind that takes stride 2. */
export function reduction(results: number): BranchShape[] {
  return [
    { kind: "max_pool", stride: 2 },
    { kind: "avg_pool", stride: 2 },
    { kind: "factorized_reduce", results, norm: true },
    { kind: "separable", kernel: 7, stride: 2, results },
    { kind: "convolution", kernel: 5, stride: 2, results, norm: true },
  ];
}

const UNITS: BranchShape[] = [
  { kind: "separable", kernel: 3, results: 7, norm: true },
  { kind: "pointwise", results: 7 },
  { kind: "convolution", kernel: 1, results: 7, norm: true },
];

/** Nodes of every kind of branch, on 2, 3, 5, 16 and 36 channels. */
export const NODE_CASES: readonly OpCase[] = [
  nodeCase({ x: [2, 5, 7, 3], activation: "relu", branches: normal(3) }),
  nodeCase({ x: [3, 8, 8, 16], activation: "relu", branches: normal(16) }),
  nodeCase({ x: [1, 9, 5, 36], activation: "relu", branches: normal(36) }),
  nodeCase({ x: [2, 6, 4, 2], activation: "relu", branches: reduction(2) }),
  nodeCase({ x: [3, 8, 10, 16], activation: "relu", branches: reduction(16) }),
  nodeCase({ x: [2, 5, 4, 5], activation: "affine", branches: UNITS }),
  nodeCase({ x: [3, 7, 8, 36], activation: "affine", branches: UNITS }),
  nodeCase({ x: [2, 5, 4, 5], activation: "affine", branches: UNITS, inputGradient: false }),
  nodeCase({ x: [2, 5, 4, 5], activation: "affine", branches: UNITS, filterGradient: false }),
];
