/** Convolutions, FactorizedReduce and pools on every device, one branch a call. */

import { coveringSet } from "../covering_set.ts";
import { BRANCH_DEVICES, onEachDevice } from "../devices.ts";
import { checkCases } from "../op_case.ts";
import { branchesCase, type BranchesPlan, type BranchShape, costOf } from "./branches_cases.ts";

/** Factors of a call with one branch. */
interface Call {
  batch: number;
  size: readonly [number, number];
  channels: number;
  activation: "none" | "relu" | "affine";
  gradients: "all" | "inputs" | "filters";
}

const CALL = {
  batch: [1, 2, 3, 17],
  size: [[1, 1], [7, 7], [8, 8], [31, 31], [32, 32], [7, 31], [32, 5]],
  channels: [1, 3, 5, 16, 36, 108],
  activation: ["none", "relu", "affine"],
  gradients: ["all", "inputs", "filters"],
} as const;

const NORM = {
  results: [1, 3, 5, 16, 36, 108],
  norm: [false, true],
  statistics: [true, false],
} as const;

/** Multiply-adds of the largest case. */
const MOST = 4e6;

function planOf<T extends Call>(kind: BranchShape["kind"], factors: T): BranchesPlan {
  const { batch, size, channels, activation, gradients, ...branch } = factors;
  return {
    x: [batch, ...size, channels],
    activation,
    branches: [{ kind, ...branch }],
    inputGradient: gradients !== "filters",
    filterGradient: gradients !== "inputs",
  };
}

const affordable = (plan: BranchesPlan) => costOf(plan) <= MOST;

const POINTWISE = coveringSet<Call & { results: number; norm: boolean; statistics: boolean }>(
  { ...CALL, ...NORM },
  { allowed: (one) => affordable(planOf("pointwise", one)) },
).map((one) => branchesCase(planOf("pointwise", one)));

const CONVOLUTION = coveringSet<
  Call & { results: number; norm: boolean; statistics: boolean; kernel: number; stride: number }
>(
  { ...CALL, ...NORM, kernel: [1, 3, 5, 7], stride: [1, 2] },
  { allowed: (one) => affordable(planOf("convolution", one)) },
).map((one) => branchesCase(planOf("convolution", one)));

const REDUCE = coveringSet<Call & { results: number; norm: boolean; statistics: boolean }>(
  { ...CALL, ...NORM, size: [[2, 2], [8, 8], [32, 32], [6, 30]], results: [2, 6, 10, 16, 36, 108] },
  { allowed: (one) => affordable(planOf("factorized_reduce", one)) },
).map((one) => branchesCase(planOf("factorized_reduce", one)));

interface Pool {
  kind: "max_pool" | "avg_pool";
  batch: number;
  size: readonly [number, number];
  channels: number;
  stride: number;
  statistics: boolean;
  values: "exact" | "ties";
}

const POOLS = coveringSet<Pool>(
  {
    ...CALL,
    kind: ["max_pool", "avg_pool"],
    stride: [1, 2],
    statistics: [true, false],
    values: ["exact", "ties"],
  },
  { allowed: ({ batch, size, channels }) => batch * size[0] * size[1] * channels <= 3e5 },
).map(({ batch, size, channels, values, ...branch }) =>
  branchesCase({ x: [batch, ...size, channels], branches: [branch], values })
);

onEachDevice((test) => {
  test("branches() computes pointwise convolutions and their gradients", (on) =>
    checkCases(on, POINTWISE));
  test("branches() computes dense convolutions and their gradients", (on) =>
    checkCases(on, CONVOLUTION));
  test("branches() computes FactorizedReduce and its gradients", (on) => checkCases(on, REDUCE));
  test("branches() computes pools and their gradients, the first of ties winning", (on) =>
    checkCases(on, POOLS));
}, BRANCH_DEVICES);
