/** Operations and bytes of a branches call, for profiles. */

import type { BranchesAttrs, BranchSpec } from "../../ops/branch_spec.ts";
import type { KernelWork } from "../profile.ts";
import { padded } from "./branches_plan.ts";

const FLOAT = 4;

/** Multiply-adds of a branch's convolutions for one batch. */
function multiplyAdds(spec: BranchSpec, [images, , , channels]: number[]): number {
  const [height, width, results] = spec.output, pixels = images * height * width;
  switch (spec.kind) {
    case "separable":
      return pixels * channels * (spec.kernel ** 2 + results);
    case "pointwise":
    case "factorized_reduce":
      return pixels * channels * results;
    case "convolution":
      return pixels * channels * results * spec.kernel ** 2;
    default:
      return 0;
  }
}

/** Channels in whole vectors of 8, the width of an engine that joins pairs of vectors. */
function wholeVectors(channels: number): number {
  return 8 * Math.ceil(channels / 8);
}

/**
 * Multiply-adds of the lanes that a branch's convolutions take: vectors lie along the results' channels
 * of a product, along the channels of a depthwise one.
 */
function laneMultiplyAdds(
  spec: BranchSpec,
  [images, , , channels]: number[],
  { inputGradient, filterGradient, backward }: {
    inputGradient: boolean;
    filterGradient: boolean;
    backward: boolean;
  },
): number {
  const [height, width, results] = spec.output, pixels = images * height * width;
  const taps = spec.kernel ** 2, rows = padded(channels);
  const segments = spec.kind === "factorized_reduce" ? 2 : 1, own = results / segments;
  const product = segments * rows * wholeVectors(own);
  const turned = segments * padded(own) * wholeVectors(channels);
  const passes = (forward: number, ofInput: number, ofFilter: number) =>
    pixels *
    (backward ? Number(inputGradient) * ofInput + Number(filterGradient) * ofFilter : forward);
  switch (spec.kind) {
    case "separable": {
      const spatial = taps * wholeVectors(channels);
      // The filters' gradients need the depthwise results again and, for the taps, the turned product.
      const ofFilter = 2 * spatial + product + (inputGradient ? 0 : turned);
      return passes(spatial + product, spatial + turned, ofFilter);
    }
    case "pointwise":
    case "factorized_reduce":
      return passes(product, turned, product);
    case "convolution":
      return passes(taps * product, taps * turned, taps * product);
    default:
      return 0;
  }
}

/** What a forward or backward call on `shape` = [N, H, W, C] has to do. */
export function branchesWork(
  shape: number[],
  attrs: BranchesAttrs,
  direction: "forward" | "backward",
): KernelWork {
  const backward = direction === "backward", [images, height, width, channels] = shape;
  const computed = attrs.branches.filter((spec) => backward || spec.kind !== "identity");
  const products = computed.reduce((sum, spec) => sum + multiplyAdds(spec, shape), 0);
  // Backward, one product for the input's gradient and one for the filters'.
  const passes = backward ? Number(attrs.inputGradient) + Number(attrs.filterGradient) : 1;
  const ofX = images * height * width * channels;
  const ofResults = computed.reduce(
    (sum, { output }) => sum + images * output[0] * output[1] * output[2],
    0,
  );
  const bytes = backward
    ? ofX * (1 + Number(attrs.inputGradient)) + 2 * ofResults
    : ofX + ofResults;
  const lanes = computed.reduce(
    (sum, spec) => sum + laneMultiplyAdds(spec, shape, { ...attrs, backward }),
    0,
  );
  return {
    label: `branches ${direction} ${height}x${width}x${channels}: ${summary(computed)}`,
    flops: 2 * products * passes,
    vectorFlops: 2 * lanes,
    bytes: FLOAT * bytes,
  };
}

/** Kinds of branches with their numbers. */
function summary(specs: BranchSpec[]): string {
  const counts = new Map<string, number>();
  for (const { kind, kernel, stride, dilation } of specs) {
    const name = kind === "separable" || kind === "convolution"
      ? `${kind} ${kernel}${dilation > 1 ? " dilated" : ""}${stride > 1 ? " strided" : ""}`
      : kind;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, n]) => n === 1 ? name : `${n} ${name}`).join(", ");
}
