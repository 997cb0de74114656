/**
 * The normalised sum on the CPU, backward. With D the incoming gradient, per term k and channel the
 * kernel yields X_k = sum D x_k and S = sum D (of D masked and weighted for special terms); then
 *
 *     dscale_k = w_k X_k,  dshift_k = w_k S,  dw_k = sum over channels of scale_k X_k + shift_k S
 *
 * and dx_k = w_k scale_k D, which plain terms get as a scaled view of D, never stored.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { NormalisedSumAttrs, SumTermSpec } from "../../ops/normalised_sum.ts";
import type { CpuBackend } from "../backend.ts";
import { WorkBlocks } from "../records.ts";
import { MASK_BYTES, runSum } from "./normalised_sum.ts";
import { isSpecial, planSum, type SumPlan, weightOf } from "./normalised_sum_plan.ts";

/** Runs the backward kernel; inputs are the forward's, then the gradient of its output. */
export function normalisedSumGradKernel(
  backend: CpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: NormalisedSumAttrs },
): TensorInfo[] {
  using work = new WorkBlocks(backend.arena);
  const dy = inputs[inputs.length - 1], plan = planSum(backend, work, { inputs, attrs });
  const { call, records, order } = plan, rows = call.terms + 1 + call.terms - call.plain;
  const own = new Map<number, TensorInfo>();
  for (let k = call.plain; k < call.terms; k++) {
    const dx = backend.allocate(dy.shape);
    records[k].dx = backend.address(dx);
    own.set(order[k], dx);
  }
  call.dy = backend.address(dy);
  call.partialBytes = 8 * rows * call.period;
  call.partials = work.take(call.parts * call.partialBytes);
  const scratchBytes = MASK_BYTES + 4 * (call.unmasked + rows) * call.period;
  runSum(backend, work, { kernel: "normalisedSumBackward", plan, scratchBytes });
  const sums = collectSums(backend, plan, rows);

  const results = new Map<number, TensorInfo>();
  const weights = attrs.weights < 0
    ? undefined
    : new Float64Array(util.sizeFromShape(inputs[attrs.weights].shape));
  attrs.terms.forEach((spec, position) => {
    const k = order.indexOf(position);
    const ofShift = sums[isSpecial(spec) ? call.terms + 1 + k - call.plain : call.terms];
    const parts: TermSums = {
      ofX: sums[k],
      ofShift,
      weight: weightOf(backend, inputs, { spec, attrs }),
    };
    const { dx, dAffine, dWeight } = termGradient(backend, { inputs, spec, dy, parts });
    results.set(spec.x, own.get(position) ?? dx());
    if (dAffine) results.set(spec.affine, dAffine);
    if (weights && spec.weight >= 0) weights[spec.weight] += dWeight;
  });
  if (weights) {
    const result = backend.allocate(inputs[attrs.weights].shape);
    backend.floats(result).set(weights);
    results.set(attrs.weights, result);
  }
  return [...results.keys()].sort((a, b) => a - b).map((index) => results.get(index)!);
}

interface TermSums {
  ofX: Float64Array;
  ofShift: Float64Array;
  weight: number;
}

function termGradient(
  backend: CpuBackend,
  { inputs, spec, dy, parts: { ofX, ofShift, weight } }: {
    inputs: TensorInfo[];
    spec: SumTermSpec;
    dy: TensorInfo;
    parts: TermSums;
  },
): { dx: () => TensorInfo; dAffine?: TensorInfo; dWeight: number } {
  const channels = ofX.length;
  const affine = spec.affine < 0 ? undefined : backend.floats(inputs[spec.affine]);
  const dAffine = affine && backend.allocate([2, channels]);
  const gradient = dAffine && backend.floats(dAffine);
  let dWeight = 0;
  for (let c = 0; c < channels; c++) {
    dWeight += (affine?.[c] ?? 1) * ofX[c] + (affine?.[channels + c] ?? 0) * ofShift[c];
    if (!gradient) continue;
    gradient[c] = weight * ofX[c];
    gradient[channels + c] = weight * ofShift[c];
  }
  const dx = () => {
    const scale = new Float32Array(channels);
    for (let c = 0; c < channels; c++) scale[c] = weight * (affine?.[c] ?? 1);
    return backend.scaledView(dy, scale);
  };
  return { dx, dAffine, dWeight };
}

/** Rows of sums per channel: parts added in order. */
function collectSums(backend: CpuBackend, { call }: SumPlan, rows: number): Float64Array[] {
  const total = Array.from({ length: rows }, () => new Float64Array(call.channels));
  for (let part = 0; part < call.parts; part++) {
    const address = call.partials + part * call.partialBytes;
    const values = backend.arena.doubles(address, rows * call.period);
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < call.channels; c++) total[row][c] += values[row * call.period + c];
    }
  }
  return total;
}
