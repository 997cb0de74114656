/**
 * Naive branches: every first operation on a state, with batch statistics, in float64.
 *
 * Tensors are named `x`, `affine`, and by the branch's position: inputs `0.depthwise`, `0.pointwise`,
 * `0.filter`, `0.filters.0`, `0.filters.1`, `0.gamma`, `0.beta`; outputs `0.y`, `0.affine`, `0.moments`.
 */

import { naiveBatchNorm, naiveNormalise, naiveRelu } from "./batch_norm.ts";
import { accumulate, type NaiveResult, type Tensor64, type Tensors64, zeros } from "./tensor64.ts";
import {
  naiveAveragePool,
  naiveConvolution,
  naiveDepthwise,
  naiveMaxPool,
  paddedWindow,
} from "./windows.ts";

/** A branch without its tensors. */
export interface BranchPlan {
  kind:
    | "separable"
    | "pointwise"
    | "factorized_reduce"
    | "convolution"
    | "max_pool"
    | "avg_pool"
    | "identity";
  kernel?: number;
  stride?: number;
  dilation?: number;
  /** Default true. */
  statistics?: boolean;
}

/** Options as the op takes them. */
export interface NaiveBranchesOptions {
  activation?: "none" | "relu";
  epsilon?: number;
}

interface BranchResult {
  y: Tensor64;
  /** Gradients of the branch's own input, as `x`, and of its filters. */
  gradients(dy: Tensor64): Tensors64;
}

/** Pools and identity act on x itself, the others on the activated x. */
function actsOnState({ kind }: BranchPlan): boolean {
  return kind === "max_pool" || kind === "avg_pool" || kind === "identity";
}

function runBranch(
  input: Tensor64,
  plan: BranchPlan,
  own: (name: string) => Tensor64,
): BranchResult {
  const { stride = 1, dilation = 1 } = plan;
  switch (plan.kind) {
    case "separable": {
      const depthwise = own("depthwise");
      const kernel = depthwise.shape[0];
      const spatial = naiveDepthwise(
        input,
        depthwise,
        paddedWindow(input, { kernel, stride, dilation }),
      );
      const pixels = paddedWindow(spatial.y, { kernel: 1, stride: 1, dilation: 1 });
      const mixed = naiveConvolution(spatial.y, own("pointwise"), pixels);
      return {
        y: mixed.y,
        gradients: (dy) => {
          const outer = mixed.gradients(dy), inner = spatial.gradients(outer.x);
          return { x: inner.x, depthwise: inner.filter, pointwise: outer.filter };
        },
      };
    }
    case "pointwise":
    case "convolution": {
      const filter = own("filter");
      const window = paddedWindow(input, { kernel: filter.shape[0], stride, dilation: 1 });
      return naiveConvolution(input, filter, window);
    }
    case "factorized_reduce":
      return reduce(input, [own("filters.0"), own("filters.1")]);
    case "max_pool":
    case "avg_pool": {
      const window = paddedWindow(input, { kernel: 3, stride, dilation: 1 });
      const pool = plan.kind === "max_pool" ? naiveMaxPool : naiveAveragePool;
      const { y, gradient } = pool(input, window);
      return { y, gradients: (dy) => ({ x: gradient(dy) }) };
    }
    case "identity":
      return { y: input, gradients: (dy) => ({ x: dy }) };
  }
}

/** Two 1x1 convolutions of stride 2, the second a pixel down and right; concatenated on channels. */
function reduce(input: Tensor64, filters: [Tensor64, Tensor64]): BranchResult {
  const output: [number, number] = [input.shape[1] / 2, input.shape[2] / 2];
  const halves = filters.map((filter, start) =>
    naiveConvolution(input, filter, { kernel: 1, stride: 2, dilation: 1, start, output })
  );
  const half = filters[0].shape[3], pixels = halves[0].y.values.length / half;
  const y = zeros([input.shape[0], ...output, 2 * half]);
  for (let pixel = 0; pixel < pixels; pixel++) {
    halves.forEach((part, which) =>
      y.values.set(
        part.y.values.subarray(pixel * half, (pixel + 1) * half),
        (2 * pixel + which) * half,
      )
    );
  }
  const gradients = (dy: Tensor64) => {
    const dx = zeros(input.shape), named: Tensors64 = { x: dx };
    halves.forEach((part, which) => {
      const own = zeros(part.y.shape);
      for (let pixel = 0; pixel < pixels; pixel++) {
        const from = (2 * pixel + which) * half;
        own.values.set(dy.values.subarray(from, from + half), pixel * half);
      }
      const result = part.gradients(own);
      accumulate(dx, result.x);
      named[`filters.${which}`] = result.filter;
    });
    return named;
  };
  return { y, gradients };
}

/** All branches on x. */
export function naiveBranches(
  inputs: Tensors64,
  plans: BranchPlan[],
  { activation = "none", epsilon = 1e-5 }: NaiveBranchesOptions = {},
): NaiveResult {
  const { x, affine } = inputs;
  const normalised = affine ? naiveNormalise(x, affine) : undefined;
  const gate = affine || activation === "relu" ? naiveRelu(normalised?.y ?? x) : undefined;
  const active = gate?.y ?? x;
  const outputs: Tensors64 = {};
  const runs = plans.map((plan, position) => {
    const own = (name: string) => inputs[`${position}.${name}`];
    const result = runBranch(actsOnState(plan) ? x : active, plan, own);
    outputs[`${position}.y`] = result.y;
    if (plan.kind === "identity" || plan.statistics === false) return { result };
    const norm = naiveBatchNorm(result.y, { gamma: own("gamma"), beta: own("beta"), epsilon });
    outputs[`${position}.affine`] = norm.affine;
    outputs[`${position}.moments`] = norm.moments;
    return { result, norm };
  });
  const gradients = (cotangents: Tensors64): Tensors64 => {
    const dx = zeros(x.shape), dActive = zeros(x.shape), named: Tensors64 = { x: dx };
    runs.forEach(({ result, norm }, position) => {
      const dy = zeros(result.y.shape);
      const direct = cotangents[`${position}.y`], byAffine = cotangents[`${position}.affine`];
      if (direct) accumulate(dy, direct);
      if (norm && byAffine) {
        const { y, gamma, beta } = norm.gradients(byAffine);
        accumulate(dy, y);
        named[`${position}.gamma`] = gamma;
        named[`${position}.beta`] = beta;
      }
      const { x: own, ...filters } = result.gradients(dy);
      accumulate(actsOnState(plans[position]) ? dx : dActive, own);
      for (const [name, tensor] of Object.entries(filters)) named[`${position}.${name}`] = tensor;
    });
    const beforeGate = gate ? gate.gradient(dActive) : dActive;
    const before = normalised?.gradients(beforeGate);
    accumulate(dx, before?.x ?? beforeGate);
    if (before) named.affine = before.affine;
    return named;
  };
  return { outputs, gradients };
}
