/**
 * The normalised sum in WGSL, backward. With D the incoming gradient, per term k and channel
 * partial sums of X_k = sum D x_k and S = sum D are made (of D masked and weighted for special
 * terms), each invocation's from values far apart, and added up in order; then
 *
 *     dscale_k = w_k X_k,  dshift_k = w_k S,  dw_k = sum over channels of scale_k X_k + shift_k S
 *
 * and dx_k = w_k scale_k m_k D, which is D itself for a bare term.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { NormalisedSumAttrs } from "../../ops/normalised_sum.ts";
import type { WebGpuBackend } from "../backend.ts";
import { program } from "../program.ts";
import { slicesOf } from "../slices.ts";
import affineText from "../wgsl/normalised_sum_grad_affine.wgsl" with { type: "text" };
import sumsText from "../wgsl/normalised_sum_grad_sums.wgsl" with { type: "text" };
import specialSumsText from "../wgsl/normalised_sum_grad_sums_special.wgsl" with { type: "text" };
import weightsText from "../wgsl/normalised_sum_grad_weights.wgsl" with { type: "text" };
import xText from "../wgsl/normalised_sum_grad_x.wgsl" with { type: "text" };
import specialXText from "../wgsl/normalised_sum_grad_x_special.wgsl" with { type: "text" };
import {
  chunksOf,
  isSpecial,
  needsSums,
  numbered,
  plainPrograms,
  type PlannedTerm,
  planSum,
  SHARE,
  SLOTS,
  slots,
  specialProgram,
  specialPrograms,
  specialUniforms,
  storedChunks,
  strideOf,
  type SumPlan,
} from "./normalised_sum_plan.ts";
import { addParts } from "./reduce.ts";
import { Scratch } from "./scratch.ts";
import { mostParts } from "./split.ts";

const SUMS = plainPrograms("normalised sum, sums", sumsText, { table: false });
const X = plainPrograms("normalised sum, gradient of x", xText);
const SPECIAL_X = specialPrograms("normalised sum, gradient of special x", specialXText, SLOTS);
const AFFINE = program("normalised sum, gradient of affine", affineText);
const WEIGHTS = program("normalised sum, gradient of weights", weightsText);

/** Special terms whose sums are made at a time: the table takes one of the 8 buffers. */
const SPECIAL_SLOTS = 5;
const SPECIAL_SUMS = specialPrograms(
  "normalised sum, sums of special terms",
  specialSumsText,
  SPECIAL_SLOTS,
);
/** Values of a channel that a partial sum is made of, and the most partial sums. */
const PART = 64, MOST_PARTS = 512;

/** Runs the backward kernel; inputs are the forward's, then the gradient of its output. */
export function normalisedSumGradKernel(
  backend: WebGpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: NormalisedSumAttrs },
): TensorInfo[] {
  using scratch = new Scratch(backend);
  const plan = planSum(backend, scratch, { inputs, attrs });
  const results = new Map<number, TensorInfo>();
  const call: GradCall = { inputs, attrs, plan, dy: inputs[inputs.length - 1], results };
  if (attrs.weights >= 0 || plan.terms.some(needsSums)) {
    const sums = encodeSums(backend, scratch, call);
    encodeAffine(backend, scratch, { call, sums });
    encodeWeights(backend, { call, sums });
  }
  encodeX(backend, scratch, call);
  return [...results.keys()].sort((a, b) => a - b).map((index) => results.get(index)!);
}

interface GradCall {
  inputs: TensorInfo[];
  attrs: NormalisedSumAttrs;
  plan: SumPlan;
  dy: TensorInfo;
  /** By the position of the input. */
  results: Map<number, TensorInfo>;
}

/** Sums per channel, `[rows, C]`: X of plain terms, then S, then X and S of each special term. */
interface Sums {
  values: GPUBuffer;
  /** Row of S. */
  row: number;
}

function encodeSums(backend: WebGpuBackend, scratch: Scratch, call: GradCall): Sums {
  const { inputs, plan, dy } = call, { channels, lanes, pixels, table } = plan;
  const plain = plan.plain.filter(needsSums), special = plan.special.filter(needsSums);
  const row = plain.length, width = (row + 1 + 2 * special.length) * channels;
  const rowsOf = (info: TensorInfo) => ({ ...backend.halves.stored(info), values: channels });
  const d = rowsOf(dy), sums = scratch.floats(width);
  const most = Math.min(MOST_PARTS, mostParts(backend.limits, width));
  const tensors = [d, ...[...plain, ...special].map(({ spec }) => rowsOf(inputs[spec.x]))];
  for (const slice of slicesOf(backend, { length: pixels, tensors })) {
    const { bind } = slice, values = slice.length * channels;
    const stride = strideOf(plan, { values, share: PART, most }), parts = stride / channels;
    const partials = scratch.floats(parts * width);
    const x = (chunk: PlannedTerm[], count: number) =>
      slots(
        count,
        (slot) => bind(slot < chunk.length ? rowsOf(inputs[chunk[slot].spec.x]) : d),
      );
    for (const { form, terms: chunk } of storedChunks(backend, inputs, plain)) {
      const first = chunk[0].row, sumRow = first === 0 ? row : -1;
      backend.run(SUMS[lanes][form], {
        buffers: [bind(d), ...x(chunk, SLOTS), partials],
        uniforms: {
          values: values / lanes,
          stride: stride / lanes,
          channels: channels / lanes,
          width: width / lanes,
          ...{ first, sumRow, terms: chunk.length },
        },
        invocations: stride / lanes,
      });
    }
    chunksOf(special, SPECIAL_SLOTS).forEach((chunk, index) =>
      backend.run(specialProgram(SPECIAL_SUMS, chunk), {
        buffers: [table, bind(d), ...x(chunk, SPECIAL_SLOTS), partials],
        uniforms: {
          ...{ values, channels, stride, width },
          first: row + 1 + 2 * SPECIAL_SLOTS * index,
          ...specialUniforms(plan, slice, { chunk, count: SPECIAL_SLOTS }),
        },
        invocations: stride / 4,
      })
    );
    addParts(backend, { from: partials, to: sums, length: width, parts, add: slice.first > 0 });
    scratch.release(partials);
  }
  return { values: sums, row };
}

function encodeAffine(
  backend: WebGpuBackend,
  scratch: Scratch,
  { call: { plan, results }, sums }: { call: GradCall; sums: Sums },
): void {
  const { channels, table, plain, terms } = plan;
  // A buffer that is written may be bound once only: slots without a term get one of their own.
  const unused = slots(SLOTS - 1, () => undefined as GPUBuffer | undefined);
  const ofX = ({ spec, row }: PlannedTerm) =>
    isSpecial(spec) ? sums.row + 1 + 2 * (row - plain.length) : row;
  const ofShift = (term: PlannedTerm) => isSpecial(term.spec) ? ofX(term) + 1 : sums.row;
  for (const chunk of chunksOf(terms.filter(({ spec }) => spec.affine >= 0), SLOTS)) {
    const written = slots(SLOTS, (slot) => {
      if (slot >= chunk.length) return unused[slot - 1] ??= scratch.floats(1);
      const dAffine = backend.allocate([2, channels]);
      results.set(chunk[slot].spec.affine, dAffine);
      return backend.buffer(dAffine);
    });
    const uniform = (name: string, of: (term: PlannedTerm) => number) =>
      numbered(name, SLOTS, (slot) => slot < chunk.length ? of(chunk[slot]) : 0);
    backend.run(AFFINE, {
      buffers: [table, sums.values, ...written],
      uniforms: {
        channels,
        terms: chunk.length,
        ...uniform("row", ({ row }) => row),
        ...uniform("ofX", ofX),
        ...uniform("ofShift", ofShift),
      },
      invocations: chunk.length * 2 * channels,
    });
  }
}

function encodeWeights(
  backend: WebGpuBackend,
  { call: { inputs, attrs, plan, results }, sums }: { call: GradCall; sums: Sums },
): void {
  if (attrs.weights < 0) return;
  const { shape } = inputs[attrs.weights], dWeights = backend.allocate(shape);
  const weights = util.sizeFromShape(shape), { channels, table, terms, plain } = plan;
  results.set(attrs.weights, dWeights);
  backend.run(WEIGHTS, {
    buffers: [table, sums.values, backend.buffer(dWeights)],
    uniforms: { weights, channels, terms: terms.length, plain: plain.length, sumRow: sums.row },
    invocations: weights,
  });
}

function encodeX(
  backend: WebGpuBackend,
  scratch: Scratch,
  { plan, dy, results }: GradCall,
): void {
  const { channels, lanes, pixels, table, plain, special } = plan;
  const rowsOf = (info: TensorInfo) => ({ buffer: backend.buffer(info), values: channels });
  const d = rowsOf(dy);
  const unused = slots(SLOTS - 1, () => undefined as GPUBuffer | undefined);
  const computed = [...plain.filter(needsSums), ...special];
  for (const { spec } of plain.filter((term) => !needsSums(term))) {
    results.set(spec.x, backend.share(dy));
  }
  for (const { spec } of computed) results.set(spec.x, backend.allocate(dy.shape));
  for (const slice of slicesOf(backend, { length: pixels, tensors: [d] })) {
    const { bind } = slice, values = slice.length * channels;
    const stride = strideOf(plan, { values, share: SHARE });
    const written = (chunk: PlannedTerm[]) =>
      slots(
        SLOTS,
        (slot) =>
          slot < chunk.length
            ? bind(rowsOf(results.get(chunk[slot].spec.x)!))
            : unused[slot - 1] ??= scratch.floats(1),
      );
    for (const chunk of chunksOf(plain.filter(needsSums), SLOTS)) {
      backend.run(X[lanes].floats, {
        buffers: [table, bind(d), ...written(chunk)],
        uniforms: {
          values: values / lanes,
          stride: stride / lanes,
          ...{ channels, first: chunk[0].row, terms: chunk.length },
        },
        invocations: stride / lanes,
      });
    }
    for (const chunk of chunksOf(special, SLOTS)) {
      backend.run(specialProgram(SPECIAL_X, chunk), {
        buffers: [table, bind(d), ...written(chunk)],
        uniforms: {
          ...{ values, channels, stride, first: chunk[0].row },
          ...specialUniforms(plan, slice, { chunk, count: SLOTS }),
        },
        invocations: stride / 4,
      });
    }
  }
}
