/**
 * The normalised sum in WGSL, forward. Opposite of ops/normalised_sum.ts.
 *
 * A table of the terms' coefficients is made first, then six terms at a time are added, those
 * without masks and factors per sample first: the first six write, the others add.
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { NormalisedSumAttrs } from "../../ops/normalised_sum.ts";
import type { WebGpuBackend } from "../backend.ts";
import { slicesOf } from "../slices.ts";
import plainText from "../wgsl/normalised_sum.wgsl" with { type: "text" };
import specialText from "../wgsl/normalised_sum_special.wgsl" with { type: "text" };
import {
  chunksOf,
  plainPrograms,
  planSum,
  SHARE,
  SLOTS,
  slots,
  specialProgram,
  specialPrograms,
  specialUniforms,
  storedChunks,
  strideOf,
} from "./normalised_sum_plan.ts";
import { Scratch } from "./scratch.ts";

const PLAIN = plainPrograms("normalised sum", plainText);
const SPECIAL = specialPrograms("normalised sum of special terms", specialText, SLOTS);

/** Runs the forward kernel. */
export function normalisedSumKernel(
  backend: WebGpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: NormalisedSumAttrs },
): TensorInfo[] {
  using scratch = new Scratch(backend);
  const plan = planSum(backend, scratch, { inputs, attrs });
  const { plain, special, channels, lanes, pixels, table } = plan;
  const out = backend.allocate(inputs[attrs.terms[0].x].shape);
  const rowsOf = (info: TensorInfo) => ({ ...backend.halves.stored(info), values: channels });
  const to = rowsOf(out), tensors = [to, ...attrs.terms.map(({ x }) => rowsOf(inputs[x]))];
  for (const slice of slicesOf(backend, { length: pixels, tensors })) {
    const { bind } = slice, values = slice.length * channels;
    const x = (chunk: typeof plain) =>
      slots(SLOTS, (slot) => bind(rowsOf(inputs[(chunk[slot] ?? chunk[0]).spec.x])));
    const stride = strideOf(plan, { values, share: SHARE });
    for (const { form, terms: chunk } of storedChunks(backend, inputs, plain)) {
      const first = chunk[0].row, add = Number(first > 0);
      backend.run(PLAIN[lanes][form], {
        buffers: [table, ...x(chunk), bind(to)],
        uniforms: {
          values: values / lanes,
          stride: stride / lanes,
          ...{ channels, first, terms: chunk.length, add },
        },
        invocations: stride / lanes,
      });
    }
    for (const chunk of chunksOf(special, SLOTS)) {
      const first = chunk[0].row, add = Number(first > 0);
      backend.run(specialProgram(SPECIAL, chunk), {
        buffers: [table, ...x(chunk), bind(to)],
        uniforms: {
          ...{ values, channels, stride, first, add },
          ...specialUniforms(plan, slice, { chunk, count: SLOTS }),
        },
        invocations: stride / 4,
      });
    }
  }
  return [out];
}
