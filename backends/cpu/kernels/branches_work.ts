/** Operations and bytes of a branches call, for profiles. */

import type { BranchesAttrs, BranchSpec } from "../../ops/branch_spec.ts";
import type { KernelWork } from "../profile.ts";

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
  return {
    label: `branches ${direction} ${height}x${width}x${channels}: ${summary(computed)}`,
    flops: 2 * products * passes,
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
