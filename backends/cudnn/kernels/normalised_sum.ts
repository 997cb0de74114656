/** The normalised sum in CUDA C, forward: one launch. Opposite of ops/normalised_sum.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { NormalisedSumAttrs } from "../../ops/normalised_sum.ts";
import type { CudnnBackend } from "../backend.ts";
import text from "../cuda/normalised_sum.cu" with { type: "text" };
import { COMMON, formOf, planSum, uploadTerms } from "./normalised_sum_plan.ts";
import { Scratch } from "./scratch.ts";
import { storedModules } from "./stored.ts";

const MODULES = storedModules("normalised sum", `${COMMON}\n${text}`);

/** Quads that a thread adds up; `QUADS` of normalised_sum.cu. */
const QUADS = 2;

/** Runs the forward kernel. */
export function normalisedSumKernel(
  backend: CudnnBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: NormalisedSumAttrs },
): TensorInfo[] {
  const { shape } = inputs[attrs.terms[0].x], out = backend.allocate(shape);
  const { extent, quads, threads, slices } = planSum(shape);
  using scratch = new Scratch(backend);
  const listed = attrs.terms.map((spec) => {
    const { address: x, form } = backend.results.stored(inputs[spec.x]);
    return { spec, x, form };
  });
  backend.launch(MODULES[formOf(listed)].kernel("normalisedSum"), {
    blocks: [Math.ceil(quads / (QUADS * extent.span)), slices, 1],
    threads,
    arguments: {
      terms: uploadTerms(backend, scratch, { inputs, listed }),
      weights: attrs.weights < 0 ? 0n : backend.address(inputs[attrs.weights]),
      out: backend.address(out),
      count: listed.length,
      ...extent,
    },
  });
  return [out];
}
