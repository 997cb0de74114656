/** Separable units on every device: pairs of all shapes and options. */

import { coveringSet } from "../covering_set.ts";
import { BRANCH_DEVICES, onEachDevice } from "../devices.ts";
import { checkCases } from "../op_case.ts";
import { branchesCase, type BranchesPlan, costOf } from "./branches_cases.ts";

interface Factors {
  batch: number;
  size: readonly [number, number];
  channels: number;
  results: number;
  kernel: number;
  stride: number;
  dilation: number;
  activation: "none" | "relu" | "affine";
  norm: boolean;
  statistics: boolean;
  gradients: "all" | "inputs" | "filters";
}

const FACTORS = {
  batch: [1, 2, 3, 17],
  size: [[1, 1], [7, 7], [8, 8], [31, 31], [32, 32], [7, 31], [32, 5]],
  channels: [1, 3, 5, 16, 36, 108],
  results: [1, 3, 5, 16, 36, 108],
  kernel: [1, 3, 5, 7],
  stride: [1, 2],
  dilation: [1, 2],
  activation: ["none", "relu", "affine"],
  norm: [false, true],
  statistics: [true, true, false],
  gradients: ["all", "all", "inputs", "filters"],
} as const;

/** Multiply-adds of the largest case. */
const MOST = 4e6;

function planOf(factors: Factors): BranchesPlan {
  const { batch, size, channels, activation, gradients, ...branch } = factors;
  return {
    x: [batch, ...size, channels],
    activation,
    branches: [{ kind: "separable", ...branch }],
    inputGradient: gradients !== "filters",
    filterGradient: gradients !== "inputs",
  };
}

const CASES = coveringSet<Factors>(FACTORS, { allowed: (one) => costOf(planOf(one)) <= MOST })
  .map((one) => branchesCase(planOf(one)));

onEachDevice((test) => {
  test("branches() computes separable units and their gradients", (on) => checkCases(on, CASES));
}, BRANCH_DEVICES);
