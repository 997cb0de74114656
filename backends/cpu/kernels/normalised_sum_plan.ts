/**
 * Lays out a call of the normalised-sum kernels: terms in the order the kernel wants (plain ones, those
 * weighted by sample, masked ones), their coefficients folded with the weights, and the records.
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import { hostNumber } from "../../host_number.ts";
import type { NormalisedSumAttrs, SumTermSpec } from "../../ops/normalised_sum.ts";
import type { CpuBackend } from "../backend.ts";
import { partsOf } from "../parts.ts";
import { emptyRecord, type RecordOf, type WorkBlocks } from "../records.ts";
import { SumCall, TermRecord } from "../wasm/layouts.ts";

export interface SumPlan {
  call: RecordOf<typeof SumCall>;
  /** In kernel order; `order[k]` is the position of record k's term in the call. */
  records: RecordOf<typeof TermRecord>[];
  order: number[];
}

/** True for a term with a dropout mask or factors per sample. */
export function isSpecial(spec: SumTermSpec): boolean {
  return hostNumber(spec.threshold) > 0 || spec.sampleWeights >= 0;
}

/** Floats of a cache line: the kernels take whole ones of a period. */
const LINE = 16;

/** Values after which channels and cache lines begin together. */
function periodOf(channels: number): number {
  let period = channels;
  while (period % LINE !== 0) period += channels;
  return period;
}

/** The weight of a term. */
export function weightOf(
  backend: CpuBackend,
  inputs: TensorInfo[],
  { spec, attrs }: { spec: SumTermSpec; attrs: NormalisedSumAttrs },
): number {
  return spec.weight < 0 ? 1 : backend.floats(inputs[attrs.weights])[spec.weight];
}

/** The plan of a call; `out`, `dy` and the partial sums are left for the caller. */
export function planSum(
  backend: CpuBackend,
  work: WorkBlocks,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: NormalisedSumAttrs },
): SumPlan {
  const positions = attrs.terms.map((_, index) => index);
  const rank = (index: number) => {
    const spec = attrs.terms[index];
    return isSpecial(spec) ? hostNumber(spec.threshold) > 0 ? 2 : 1 : 0;
  };
  const order = positions.sort((a, b) => rank(a) - rank(b) || a - b);
  const [images, height, width, channels] = inputs[attrs.terms[0].x].shape;
  const period = periodOf(channels);
  const scales = new Float32Array(order.length * period), shifts = new Float32Array(scales.length);
  const constants = new Float64Array(period);
  const records = order.map((position, k) => {
    const spec = attrs.terms[position], weight = weightOf(backend, inputs, { spec, attrs });
    const affine = spec.affine < 0 ? undefined : backend.floats(inputs[spec.affine]);
    for (let j = 0; j < period; j++) {
      const c = j % channels, shift = weight * (affine?.[channels + c] ?? 0);
      scales[k * period + j] = weight * (affine?.[c] ?? 1);
      shifts[k * period + j] = shift;
      if (!isSpecial(spec)) constants[j] += shift;
    }
    return {
      ...emptyRecord(TermRecord),
      x: backend.address(inputs[spec.x]),
      sampleWeights: spec.sampleWeights < 0 ? 0 : backend.address(inputs[spec.sampleWeights]),
      threshold: hostNumber(spec.threshold),
      keepScale: hostNumber(spec.keepScale),
      key0: spec.key[0],
      key1: spec.key[1],
      counter: hostNumber(spec.counter),
    };
  });
  const call = {
    ...emptyRecord(SumCall),
    images,
    parts: partsOf(images),
    elements: height * width * channels,
    channels,
    period,
    terms: order.length,
    plain: order.filter((position) => rank(position) === 0).length,
    unmasked: order.filter((position) => rank(position) < 2).length,
    scales: work.floats(scales),
    shifts: work.floats(shifts),
    constants: work.floats(constants),
  };
  return { call, records, order };
}
