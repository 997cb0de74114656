/**
 * Branches on the CPU, backward. The gradients of a branch's affine pair become per-channel coefficients
 * (a, b, c), so that the gradient before its batch norm, a dy + b y + c, is formed on the fly:
 *
 *     with N values a channel, s = scale, i = 1 / sqrt(var + eps), S and T the gradients of scale and shift:
 *     U = S - mean T;  dmean = -s T;  dvar = -gamma i^3 U / 2;  dgamma = i U;  dbeta = T
 *     b = 2 dvar / N;  c = dmean / N - mean b
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import {
  type BranchesAttrs,
  type BranchSpec,
  type BranchTensors,
  sortGradientInputs,
} from "../../ops/branch_spec.ts";
import type { CpuBackend } from "../backend.ts";
import { partsOf } from "../parts.ts";
import { type RecordOf, WorkBlocks, writeRecords } from "../records.ts";
import {
  type BranchesCall,
  type BranchRecord,
  GradientTerm,
  layoutBytes,
} from "../wasm/layouts.ts";
import { addDoubles, paddedIndex, placeAffine, placeFilters, runBranches } from "./branches.ts";
import { planBranches, tapsOf } from "./branches_plan.ts";
import { branchesWork } from "./branches_work.ts";

/** Runs the backward kernel; inputs are the forward's inputs, outputs, and gradients of outputs. */
export function branchesGradKernel(
  backend: CpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: BranchesAttrs },
): TensorInfo[] {
  const { arena } = backend, [x] = inputs, parts = partsOf(x.shape[0]);
  const { forward, branches } = sortGradientInputs(inputs, attrs);
  using work = new WorkBlocks(arena);
  const { call, records, scratchBytes } = planBranches(x.shape, attrs, { parts, backward: true });
  const dx = attrs.inputGradient ? backend.allocate(x.shape) : undefined;
  call.x = backend.address(x);
  call.dx = dx ? backend.address(dx) : 0;
  placeAffine(backend, work, { inputs: forward, attrs, call });
  const norms = records.map((record, index) => {
    const spec = attrs.branches[index], { y, dy } = branches[index];
    placeFilters(backend, work, {
      inputs: forward,
      spec,
      record,
      channels: x.shape[3],
      backward: true,
    });
    record.y = backend.address(y);
    const norm = normGradient(backend, { forward, attrs, spec, tensors: branches[index] });
    placeIncoming(backend, work, { record, spec, norm, dy });
    return norm;
  });
  call.partials = work.take(Math.max(1, parts * call.partialBytes));
  runBranches(backend, work, {
    kernel: "branchesBackward",
    call,
    records,
    scratchBytes,
    profiled: () => branchesWork(x.shape, attrs, "backward"),
  });
  const results = new Map<number, TensorInfo>();
  if (dx) {
    results.set(0, dx);
    if (attrs.hasAffine) results.set(1, affineGradient(backend, call));
  }
  if (attrs.filterGradient) {
    records.forEach((record, index) => {
      const spec = attrs.branches[index];
      collectFilters(backend, results, { forward, spec, record, call });
      if (spec.gamma >= 0) results.set(spec.gamma, tensorOf(backend, norms[index].gamma));
      if (spec.beta >= 0) results.set(spec.beta, tensorOf(backend, norms[index].beta));
    });
  }
  return [...results.keys()].sort((a, b) => a - b).map((index) => results.get(index)!);
}

/** Per-channel coefficients of y and 1, and the gradients of gamma and beta. */
interface NormGradient {
  b: Float64Array;
  c: Float64Array;
  gamma: Float64Array;
  beta: Float64Array;
}

function normGradient(
  backend: CpuBackend,
  { forward, attrs, spec, tensors }: {
    forward: TensorInfo[];
    attrs: BranchesAttrs;
    spec: BranchSpec;
    tensors: BranchTensors;
  },
): NormGradient {
  const channels = spec.output[2], zeros = () => new Float64Array(channels);
  const norm = { b: zeros(), c: zeros(), gamma: zeros(), beta: zeros() };
  if (!tensors.affine || !tensors.moments || !tensors.dAffine) return norm;
  const count = tensors.y.shape.slice(0, 3).reduce((n, side) => n * side, 1);
  const affine = backend.floats(tensors.affine), moments = backend.floats(tensors.moments);
  const incoming = backend.floats(tensors.dAffine);
  const gamma = spec.gamma < 0 ? undefined : backend.floats(forward[spec.gamma]);
  for (let c = 0; c < channels; c++) {
    const mean = moments[c], inverse = 1 / Math.sqrt(moments[channels + c] + attrs.epsilon);
    const ofShift = incoming[channels + c], centred = incoming[c] - mean * ofShift;
    const ofVariance = -0.5 * (gamma?.[c] ?? 1) * inverse ** 3 * centred;
    norm.b[c] = count === 1 ? 0 : 2 * ofVariance / count; // a single value never varies
    norm.c[c] = -affine[c] * ofShift / count - mean * norm.b[c];
    norm.gamma[c] = inverse * centred;
    norm.beta[c] = ofShift;
  }
  return norm;
}

/** Places the gradient of y, in its summands while unevaluated, and the coefficients of each. */
function placeIncoming(
  backend: CpuBackend,
  work: WorkBlocks,
  { record, spec, norm, dy }: {
    record: RecordOf<typeof BranchRecord>;
    spec: BranchSpec;
    norm: NormGradient;
    dy: TensorInfo;
  },
): void {
  const [first, ...more] = backend.scaledTerms(dy) ?? [undefined];
  record.dy = first ? backend.termAddress(first) : backend.address(dy);
  record.coefficients = placeCoefficients(work, { record, spec, norm, scale: first?.scale });
  if (more.length === 0) return;
  const records = more.map((term) => ({
    dy: backend.termAddress(term!),
    coefficients: placeCoefficients(work, { record, spec, scale: term!.scale }),
  }));
  record.termCount = records.length;
  record.terms = work.take(records.length * layoutBytes(GradientTerm));
  writeRecords(backend.arena, record.terms, { layout: GradientTerm, records });
}

/** `[3, segments outP]` coefficients of dy, y and 1 in the padded layout; the identity's has no pad. */
function placeCoefficients(
  work: WorkBlocks,
  { record, spec, norm, scale }: {
    record: RecordOf<typeof BranchRecord>;
    spec: BranchSpec;
    norm?: NormGradient;
    scale?: Float32Array;
  },
): number {
  const wide = record.segments * record.outP, values = new Float32Array(3 * wide);
  for (let channel = 0; channel < spec.output[2]; channel++) {
    const at = paddedIndex(channel, record);
    values[at] = scale?.[channel] ?? 1;
    values[wide + at] = norm?.b[channel] ?? 0;
    values[2 * wide + at] = norm?.c[channel] ?? 0;
  }
  return work.floats(values);
}

function affineGradient(backend: CpuBackend, call: RecordOf<typeof BranchesCall>): TensorInfo {
  const { channels, channelsP } = call, result = backend.allocate([2, channels]);
  const sums = addDoubles(backend, call, { offset: call.affineSums, length: 2 * channelsP });
  const values = backend.floats(result);
  values.set(sums.subarray(0, channels));
  values.set(sums.subarray(channelsP, channelsP + channels), channels);
  return result;
}

function tensorOf(backend: CpuBackend, values: Float64Array): TensorInfo {
  const result = backend.allocate([values.length]);
  backend.floats(result).set(values);
  return result;
}

function collectFilters(
  backend: CpuBackend,
  results: Map<number, TensorInfo>,
  { forward, spec, record, call }: {
    forward: TensorInfo[];
    spec: BranchSpec;
    record: RecordOf<typeof BranchRecord>;
    call: RecordOf<typeof BranchesCall>;
  },
): void {
  const filters = [...spec.filters];
  if (spec.kind === "separable") {
    const index = filters.shift()!, rows = spec.kernel ** 2;
    results.set(
      index,
      addUp(backend, call, {
        shape: forward[index].shape,
        offset: record.depthwiseSums,
        rows: { groups: 1, real: rows, padded: rows },
        columns: { real: call.channels, padded: call.channelsP },
      }),
    );
  }
  const rows = { groups: tapsOf(record), real: call.channels, padded: call.channelsP };
  filters.forEach((index, segment) =>
    results.set(
      index,
      addUp(backend, call, {
        shape: forward[index].shape,
        offset: record.filterSums + segment * record.filterSumsBytes,
        rows,
        columns: { real: record.out, padded: record.outP },
      }),
    )
  );
}

/** Adds float32 partial sums of all parts into a new tensor, dropping the padding of groups of rows, and of rows. */
function addUp(
  backend: CpuBackend,
  { partials, partialBytes, parts }: RecordOf<typeof BranchesCall>,
  { shape, offset, rows, columns }: {
    shape: number[];
    offset: number;
    rows: { groups: number; real: number; padded: number };
    columns: { real: number; padded: number };
  },
): TensorInfo {
  const result = backend.allocate(shape), { addParts } = backend.threads.kernels;
  const to = backend.address(result), from = partials + offset;
  const whole = columns.real === columns.padded,
    length = whole ? rows.real * columns.real : columns.real;
  const runs = whole ? 1 : rows.real;
  for (let group = 0; group < rows.groups; group++) {
    for (let run = 0; run < runs; run++) {
      const at = (group * rows.padded + run) * columns.padded;
      addParts(from + 4 * at, to + 4 * (group * runs + run) * length, length, parts, partialBytes);
    }
  }
  return result;
}
