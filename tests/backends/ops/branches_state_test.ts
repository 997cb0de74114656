/**
 * Several branches on one state, as cells call them, on every device; and the float64 references of all
 * branches against finite differences.
 */

import { BRANCH_DEVICES, onEachDevice } from "../devices.ts";
import { checkCases, checkReference } from "../op_case.ts";
import { branchesCase, type BranchShape } from "./branches_cases.ts";

/** The primitives of a supernet's state, with `results` channels. */
function primitives(results: number, stride: number): BranchShape[] {
  return [
    { kind: "max_pool", stride },
    { kind: "avg_pool", stride },
    { kind: "separable", kernel: 3, stride, dilation: 1, results },
    { kind: "separable", kernel: 5, stride, dilation: 1, results },
    { kind: "separable", kernel: 3, stride, dilation: 2, results },
    { kind: "separable", kernel: 5, stride, dilation: 2, results },
  ];
}

const SKIPS: BranchShape[] = [{ kind: "identity" }, { kind: "identity" }];

const SHAPES: [number, number, number, number][] = [
  [1, 1, 1, 1],
  [2, 7, 5, 3],
  [1, 8, 8, 16],
  [3, 9, 7, 36],
  [2, 16, 16, 16],
  [5, 8, 8, 108],
];

const STATES = SHAPES.flatMap((x) => {
  const channels = x[3];
  const normal = [...primitives(channels, 1), ...SKIPS];
  const even = x[1] % 2 === 0 && x[2] % 2 === 0 && channels % 2 === 0;
  const reduction: BranchShape[] = [
    ...primitives(channels, 2),
    ...even ? [{ kind: "factorized_reduce", results: channels } as const] : [],
    { kind: "identity" },
  ];
  return [
    branchesCase({ x, activation: "relu", branches: normal }),
    branchesCase({ x, activation: "relu", branches: reduction }),
  ];
});

/** Units of an evaluation cell: affine norms, several edges with the same kind, widths that differ. */
const UNITS: BranchShape[] = [
  { kind: "separable", kernel: 3, stride: 1, dilation: 1, results: 20, norm: true },
  { kind: "separable", kernel: 7, stride: 2, dilation: 1, results: 7, norm: true },
  { kind: "separable", kernel: 3, stride: 1, dilation: 1, results: 36, norm: true },
  { kind: "pointwise", results: 9, norm: true },
  { kind: "convolution", kernel: 3, stride: 2, results: 10 },
  { kind: "factorized_reduce", results: 12, norm: true },
];

const MIXED = (["none", "relu", "affine"] as const).flatMap((activation) => [
  branchesCase({ x: [2, 6, 10, 5], activation, branches: UNITS }),
  branchesCase({ x: [2, 6, 10, 16], activation, branches: UNITS, inputGradient: false }),
  branchesCase({ x: [1, 10, 6, 16], activation, branches: UNITS, filterGradient: false }),
  branchesCase({ x: [2, 8, 8, 4], activation, branches: UNITS, epsilon: 1e-2 }),
  branchesCase({ x: [2, 4, 6, 5], activation, branches: UNITS, loss: "y" }),
  branchesCase({ x: [2, 4, 6, 5], activation, branches: UNITS, loss: "affine" }),
  branchesCase({
    x: [3, 4, 4, 3],
    activation,
    branches: UNITS.map((unit, index) => ({ ...unit, statistics: index % 2 === 0 })),
  }),
]);

/** 17 images of 4 KiB: more than the device of small bindings binds, so that all kernels take slices. */
const SLICED = ([
  { activation: "relu", branches: [...primitives(16, 1).slice(0, 3), ...SKIPS] },
  { activation: "relu", branches: [...primitives(16, 2), { kind: "identity" }] },
  { activation: "affine", branches: UNITS },
] as const).map((plan) => ({
  ...branchesCase({ ...plan, x: [17, 8, 8, 16], branches: [...plan.branches] }),
  small: true,
}));

const ALONE = [
  branchesCase({ x: [2, 3, 5, 7], branches: [{ kind: "identity" }] }),
  branchesCase({ x: [2, 3, 5, 7], branches: SKIPS }),
  branchesCase({ x: [2, 6, 5, 3], activation: "relu", branches: SKIPS, values: "ties" }),
];

onEachDevice((test) => {
  test("branches() computes all primitives of a state at once", (on) => checkCases(on, STATES));
  test("branches() computes mixed units under every activation and gradient switch", (on) =>
    checkCases(on, MIXED));
  test("branches() takes images in slices", (on) => checkCases(on, SLICED));
  test("branches() passes x through identities, adding their gradients", (on) =>
    checkCases(on, ALONE));
}, BRANCH_DEVICES);

Deno.test("naiveBranches() has the gradients that finite differences give", () => {
  for (const activation of ["none", "relu", "affine"] as const) {
    checkReference(
      branchesCase({ x: [2, 4, 6, 3], activation, branches: UNITS, values: "smooth" }),
    );
  }
  const all = [...primitives(4, 1), ...SKIPS];
  checkReference(branchesCase({ x: [2, 5, 4, 3], branches: all, values: "smooth" }));
  const halved = primitives(4, 2);
  checkReference(
    branchesCase({ x: [2, 5, 4, 3], activation: "relu", branches: halved, values: "smooth" }),
  );
});
