/**
 * Lays out a call of the normalised-sum kernels: which elements a block takes, and the list of terms,
 * which they read from device memory, so that a launch takes any number of them.
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import { hostNumber } from "../../host_number.ts";
import type { SumTermSpec } from "../../ops/normalised_sum.ts";
import type { CudnnBackend } from "../backend.ts";
import mask from "../cuda/mask.cuh" with { type: "text" };
import terms from "../cuda/normalised_sum_terms.cuh" with { type: "text" };
import quads from "../cuda/quads.cuh" with { type: "text" };
import type { Scratch } from "./scratch.ts";
import type { StoredForm } from "./stored.ts";

/** The text in front of every kernel of the op. */
export const COMMON = [quads, mask, terms].join("\n");

/** Threads of a block, at most; `MOST_THREADS` of normalised_sum_terms.cuh. */
const MOST_THREADS = 256;
/** Bytes of a `Term` of normalised_sum_terms.cuh. */
const TERM_BYTES = 72;
/** Where its numbers begin, behind five addresses. */
const NUMBERS_AT = 40;

/** True for a term with a dropout mask or factors per sample. */
export function isSpecial(spec: SumTermSpec): boolean {
  return hostNumber(spec.threshold) > 0 || spec.sampleWeights >= 0;
}

/** True for a term whose affine pair or weight gets a gradient. */
export function needsSums(spec: SumTermSpec): boolean {
  return spec.affine >= 0 || spec.weight >= 0;
}

/** How blocks share out a tensor, as normalised_sum_terms.cuh says; all but the extent in quads. */
export interface SumPlan {
  /** What the kernels are told of the tensor, by the names of their parameters. */
  extent: { values: number; elements: number; channels: number; span: number };
  quads: number;
  /** Quads after which the channels repeat. */
  period: number;
  /** Threads of a block, and blocks that a span takes. */
  threads: number;
  slices: number;
}

/** The plan for tensors `[N, H, W, C]`. */
export function planSum([images, height, width, channels]: number[]): SumPlan {
  const elements = height * width * channels, values = images * elements;
  const period = channels / greatestCommonDivisor(channels, 4);
  const unit = 4 * period / greatestCommonDivisor(period, 4);
  const span = unit * Math.max(1, Math.floor(MOST_THREADS / unit));
  const threads = Math.min(MOST_THREADS, 32 * Math.ceil(span / 32));
  return {
    extent: { values, elements, channels, span },
    quads: Math.ceil(values / 4),
    period,
    threads,
    slices: Math.ceil(span / threads),
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** A term, and the addresses of its x and of the gradients to write for it. */
export interface ListedTerm {
  spec: SumTermSpec;
  x: bigint;
  /** Of x. */
  form: StoredForm;
  dx?: bigint;
  dAffine?: bigint;
}

/** The form for which kernels are to be compiled: bf16 where any term's x is. */
export function formOf(listed: readonly ListedTerm[]): StoredForm {
  return listed.some(({ form }) => form === "bf16") ? "bf16" : "floats";
}

/** The address of the terms on the card, 0 without any. */
export function uploadTerms(
  backend: CudnnBackend,
  scratch: Scratch,
  { inputs, listed }: { inputs: TensorInfo[]; listed: readonly ListedTerm[] },
): bigint {
  if (listed.length === 0) return 0n;
  const bytes = new ArrayBuffer(TERM_BYTES * listed.length);
  const addressOf = (input: number) => input < 0 ? 0n : backend.address(inputs[input]);
  listed.forEach(({ spec, x, form, dx = 0n, dAffine = 0n }, row) => {
    const { affine, sampleWeights, weight, key } = spec;
    const at = row * TERM_BYTES;
    new BigUint64Array(bytes, at, NUMBERS_AT / 8).set(
      [x, dx, addressOf(affine), dAffine, addressOf(sampleWeights)],
    );
    const words = new DataView(bytes, at + NUMBERS_AT);
    words.setInt32(0, weight, true);
    words.setUint32(12, key[0], true);
    words.setUint32(16, key[1], true);
    words.setInt32(24, Number(form === "bf16"), true);
  });
  const refresh = () => writeNumbers(bytes, listed);
  refresh();
  return scratch.upload(new Uint8Array(bytes), listed.some(changes) ? refresh : undefined);
}

/** Whether a term has numbers that functions give. */
function changes({ spec: { threshold, keepScale, counter } }: ListedTerm): boolean {
  return [threshold, keepScale, counter].some((value) => typeof value === "function");
}

/** Writes the numbers of now into a list of terms. */
function writeNumbers(bytes: ArrayBuffer, listed: readonly ListedTerm[]): void {
  listed.forEach(({ spec: { threshold, keepScale, counter } }, row) => {
    const words = new DataView(bytes, row * TERM_BYTES + NUMBERS_AT);
    words.setUint32(4, hostNumber(threshold), true);
    words.setFloat32(8, hostNumber(keepScale), true);
    words.setUint32(20, hostNumber(counter), true);
  });
}
