/** Builds cases of `branches()` from a description of their shapes and options. */

import type * as tf from "@tensorflow/tfjs-core";
import { type Branch, branches, type BranchNorm } from "../../../backends/ops/branches.ts";
import { type BranchPlan, naiveBranches } from "../naive/branches.ts";
import type { Tensors64 } from "../naive/tensor64.ts";
import type { NamedTensors, OpCase } from "../op_case.ts";
import { Samples } from "../samples.ts";

/** A branch by its shapes. */
export interface BranchShape extends BranchPlan {
  /** Output channels, M; of pools and identity those of x. */
  results?: number;
  /** With gamma and beta; default false. */
  norm?: boolean;
}

/** One call of `branches()`. */
export interface BranchesPlan {
  /** `[N, H, W, C]`. */
  x: [number, number, number, number];
  branches: BranchShape[];
  /** Default "none". */
  activation?: "none" | "relu" | "affine";
  /** Gradients asked for; default both. */
  inputGradient?: boolean;
  filterGradient?: boolean;
  epsilon?: number;
  /** Kinds of outputs that enter the loss; default both. */
  loss?: "y" | "affine";
  /**
   * Values of x: "exact" are multiples of 1/64, "ties" of 1/2, and "smooth" are uniform, as finite
   * differences want them. Default "exact".
   */
  values?: "exact" | "ties" | "smooth";
}

/** Multiply-adds of a forward pass, about. */
export function costOf({ x: [batch, height, width, channels], branches }: BranchesPlan): number {
  const pixels = batch * height * width * channels;
  return branches.reduce((sum, { kernel = 1, stride = 1, results = 1, kind }) => {
    const taps = kernel ** 2;
    return sum + pixels / stride ** 2 * (kind === "separable" ? taps + results : taps * results);
  }, pixels);
}

/** Values of a channel in the smallest batch norm. */
function normedOf({ x: [batch, height, width], branches }: BranchesPlan): number {
  return Math.min(
    ...branches.filter(({ kind, statistics = true }) => kind !== "identity" && statistics)
      .map(({ stride = 1 }) => batch * Math.ceil(height / stride) * Math.ceil(width / stride)),
  );
}

/** Cases up to this cost run on the plain composition too. */
const SMALL = 1.5e5;

/** Makes the case of a call. */
export function branchesCase(plan: BranchesPlan): OpCase {
  const { activation = "none", inputGradient = true, filterGradient = true, epsilon } = plan;
  const name = nameOf(plan);
  const { inputs, filters } = inputsOf(plan, new Samples(name));
  const ofState = activation === "affine" ? ["x", "affine"] : ["x"];
  const lossOf = plan.branches.flatMap(({ kind, statistics = true }, position) =>
    kind === "identity" || !statistics ? [`${position}.y`] : [`${position}.y`, `${position}.affine`]
  ).filter((output) => plan.loss === undefined || output.endsWith(plan.loss));
  // Without its affine pair in the loss nothing depends on gamma and beta.
  const usedFilters = filters.filter((filter) =>
    !/gamma|beta/.test(filter) || lossOf.includes(`${filter.split(".")[0]}.affine`)
  );
  return {
    name,
    inputs,
    differentiate: [...inputGradient ? ofState : [], ...filterGradient ? usedFilters : []],
    lossOf,
    run: (tensors) => {
      const outputs = branches(tensors.x as tf.Tensor4D, plan.branches.map(branchOf(tensors)), {
        ...activation === "relu" ? { activation } : {},
        affine: tensors.affine as tf.Tensor2D | undefined,
        epsilon,
        inputGradient,
        filterGradient,
      });
      return Object.fromEntries(
        outputs.flatMap((output, position) =>
          Object.entries(output).map(([key, tensor]) => [`${position}.${key}`, tensor])
        ),
      );
    },
    naive: (tensors) =>
      naiveBranches(tensors, plan.branches, {
        activation: activation === "relu" ? "relu" : "none",
        epsilon,
      }),
    small: costOf(plan) <= SMALL,
    binding: bindingOf(plan),
    normed: normedOf(plan),
  };
}

/** Windows go over whole images, and on WebGPU slices of them begin at multiples of 256 bytes. */
function bindingOf({ x: [batch, ...sizes], branches }: BranchesPlan): number {
  const windows = branches.some(({ kind, kernel = 1 }) => /pool/.test(kind) || kernel > 1);
  const bytes = 4 * sizes.reduce((size, side) => size * side);
  let images = 1;
  while (images < batch && images * bytes % 256 !== 0) images++;
  return windows ? images * bytes : 0;
}

function inputsOf(
  { x, activation, branches, values = "exact" }: BranchesPlan,
  samples: Samples,
): { inputs: Tensors64; filters: string[] } {
  const channels = x[3];
  const smooth = values === "smooth";
  const inputs: Tensors64 = {
    x: smooth ? samples.uniform(x) : samples.exact(x, { steps: values === "ties" ? 2 : 64 }),
  };
  if (activation === "affine") {
    inputs.affine = smooth
      ? samples.uniform([2, channels])
      : samples.exact([2, channels], { steps: 16 });
  }
  const ofState = Object.keys(inputs);
  branches.forEach(({ kind, kernel = 1, results = channels, norm }, position) => {
    const own = (key: string, shape: number[]) =>
      inputs[`${position}.${key}`] = samples.filter(shape);
    if (kind === "separable") {
      own("depthwise", [kernel, kernel, channels, 1]);
      own("pointwise", [1, 1, channels, results]);
    } else if (kind === "factorized_reduce") {
      own("filters.0", [1, 1, channels, results / 2]);
      own("filters.1", [1, 1, channels, results / 2]);
    } else if (kind === "pointwise" || kind === "convolution") {
      own("filter", [kernel, kernel, channels, results]);
    }
    if (norm) {
      inputs[`${position}.gamma`] = samples.uniform([results], { bound: 2 });
      inputs[`${position}.beta`] = samples.uniform([results]);
    }
  });
  return { inputs, filters: Object.keys(inputs).filter((key) => !ofState.includes(key)) };
}

function branchOf(tensors: NamedTensors): (shape: BranchShape, position: number) => Branch {
  return ({ kind, stride = 1, dilation = 1, statistics, norm: normed }, position) => {
    const own = <T>(key: string) => tensors[`${position}.${key}`] as T;
    const norm: BranchNorm | undefined = normed
      ? { gamma: own("gamma"), beta: own("beta") }
      : undefined;
    const common = { statistics, norm };
    switch (kind) {
      case "separable": {
        const filters = {
          depthwise: own<tf.Tensor4D>("depthwise"),
          pointwise: own<tf.Tensor4D>("pointwise"),
        };
        return { kind, ...common, ...filters, stride, dilation };
      }
      case "pointwise":
        return { kind, ...common, filter: own("filter") };
      case "convolution":
        return { kind, ...common, filter: own("filter"), stride };
      case "factorized_reduce":
        return { kind, ...common, filters: [own("filters.0"), own("filters.1")] };
      case "identity":
        return { kind };
      default:
        return { kind, statistics, stride };
    }
  };
}

function nameOf({ x, activation = "none", branches, ...options }: BranchesPlan): string {
  const flags = Object.entries(options).map(([key, value]) => ` ${key}=${value}`).join("");
  return `[${x}] ${activation}${flags}: ${branches.map(branchName).join(", ")}`;
}

function branchName(branch: BranchShape): string {
  const { kind, kernel, stride, dilation, results, norm, statistics } = branch;
  return [
    kind,
    kernel ? `k${kernel}` : "",
    stride ? `s${stride}` : "",
    dilation ? `d${dilation}` : "",
    results ? `to ${results}` : "",
    norm ? "norm" : "",
    statistics === false ? "bare" : "",
  ].filter((word) => word).join(" ");
}
