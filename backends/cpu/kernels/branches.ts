/**
 * Branches on the CPU, forward: filters are packed, all images run on all threads, and the partial sums
 * of the parts become the batch norm of every branch. Opposite of ops/branches.ts.
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { BranchesAttrs, BranchSpec } from "../../ops/branch_spec.ts";
import type { CpuBackend } from "../backend.ts";
import { partsOf } from "../parts.ts";
import type { KernelWork } from "../profile.ts";
import { type RecordOf, WorkBlocks, writeRecords } from "../records.ts";
import { BranchesCall, BranchRecord, layoutBytes } from "../wasm/layouts.ts";
import { padded, planBranches, tapsOf } from "./branches_plan.ts";
import { branchesWork } from "./branches_work.ts";

/** Runs the forward kernel: per branch y, then affine and moments with statistics. */
export function branchesKernel(
  backend: CpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: BranchesAttrs },
): TensorInfo[] {
  const { arena } = backend, [x] = inputs, images = x.shape[0], parts = partsOf(images);
  using work = new WorkBlocks(arena);
  const { call, records, scratchBytes } = planBranches(x.shape, attrs, { parts, backward: false });
  const outputs = attrs.branches.map((spec) =>
    spec.kind === "identity" ? backend.share(x) : backend.allocate([images, ...spec.output])
  );
  call.x = backend.address(x);
  placeAffine(backend, work, { inputs, attrs, call });
  records.forEach((record, index) => {
    const spec = attrs.branches[index];
    record.y = backend.address(outputs[index]);
    placeFilters(backend, work, { inputs, spec, record, channels: x.shape[3], backward: false });
  });
  call.partials = work.take(parts * call.partialBytes);
  runBranches(backend, work, {
    kernel: "branchesForward",
    call,
    records,
    scratchBytes,
    profiled: () => branchesWork(x.shape, attrs, "forward"),
  });
  return attrs.branches.flatMap((spec, index) =>
    spec.statistics
      ? [
        outputs[index],
        ...batchNorm(backend, { inputs, attrs, spec, record: records[index], call }),
      ]
      : [outputs[index]]
  );
}

/** Writes the records and runs a kernel over all parts. */
export function runBranches(
  backend: CpuBackend,
  work: WorkBlocks,
  { kernel, call, records, scratchBytes, profiled }: {
    kernel: string;
    call: RecordOf<typeof BranchesCall>;
    records: RecordOf<typeof BranchRecord>[];
    scratchBytes: number;
    profiled: () => KernelWork;
  },
): void {
  call.branches = work.take(records.length * layoutBytes(BranchRecord));
  writeRecords(backend.arena, call.branches, { layout: BranchRecord, records });
  const args = work.take(layoutBytes(BranchesCall));
  writeRecords(backend.arena, args, { layout: BranchesCall, records: [call] });
  backend.run(kernel, args, { parts: call.parts, scratchBytes, work: profiled });
}

/** Pads the scale and shift of an affine activation. */
export function placeAffine(
  backend: CpuBackend,
  work: WorkBlocks,
  { inputs, attrs, call }: {
    inputs: TensorInfo[];
    attrs: BranchesAttrs;
    call: RecordOf<typeof BranchesCall>;
  },
): void {
  if (!attrs.hasAffine) return;
  const affine = backend.floats(inputs[1]), { channels, channelsP } = call;
  call.scale = work.floats(affine.subarray(0, channels), channelsP);
  call.shift = work.floats(affine.subarray(channels), channelsP);
}

/** Packs a branch's filters as the forward kernel reads them or, `backward`, as the gradient does. */
export function placeFilters(
  backend: CpuBackend,
  work: WorkBlocks,
  { inputs, spec, record, channels, backward }: {
    inputs: TensorInfo[];
    spec: BranchSpec;
    record: RecordOf<typeof BranchRecord>;
    channels: number;
    backward: boolean;
  },
): void {
  if (spec.filters.length === 0) return;
  const filters = spec.filters.map((index) => inputs[index]), channelsP = padded(channels);
  if (spec.kind === "separable") {
    const taps = backend.floats(filters.shift()!);
    record.depthwise = placeTaps(backend, work, { taps, channels, turned: false });
    if (backward) {
      record.depthwiseTurned = placeTaps(backend, work, { taps, channels, turned: true });
    }
  }
  record.filterBytes = 4 * tapsOf(record) * channelsP * record.outP;
  const address = work.take(filters.length * record.filterBytes);
  const { packFilter, packConvolution } = backend.threads.kernels, turned = Number(backward);
  filters.forEach((filter, segment) => {
    const from = backend.address(filter), to = address + segment * record.filterBytes;
    if (spec.kind !== "convolution") packFilter(from, to, channels, record.out, turned);
    else packConvolution(from, to, spec.kernel, channels, record.out, spec.stride, turned);
  });
  if (backward) record.filterTransposed = address;
  else record.filter = address;
}

function placeTaps(
  backend: CpuBackend,
  work: WorkBlocks,
  { taps, channels, turned }: {
    taps: Float32Array<ArrayBufferLike>;
    channels: number;
    turned: boolean;
  },
): number {
  const count = taps.length / channels, channelsP = padded(channels);
  const address = work.take(4 * count * channelsP);
  const to = backend.arena.floats(address, count * channelsP);
  if (channelsP !== channels) to.fill(0);
  for (let tap = 0; tap < count; tap++) {
    const from = turned ? count - 1 - tap : tap;
    to.set(taps.subarray(from * channels, (from + 1) * channels), tap * channelsP);
  }
  return address;
}

/** The batch norm behind a branch, from the sums of all parts. */
function batchNorm(
  backend: CpuBackend,
  { inputs, attrs, spec, record, call }: {
    inputs: TensorInfo[];
    attrs: BranchesAttrs;
    spec: BranchSpec;
    record: RecordOf<typeof BranchRecord>;
    call: RecordOf<typeof BranchesCall>;
  },
): TensorInfo[] {
  const channels = spec.output[2];
  const affine = backend.allocate([2, channels]), moments = backend.allocate([2, channels]);
  const pair = backend.floats(affine), both = backend.floats(moments);
  const gamma = spec.gamma < 0 ? undefined : backend.floats(inputs[spec.gamma]);
  const beta = spec.beta < 0 ? undefined : backend.floats(inputs[spec.beta]);
  const { mean, variance } = mergeMoments(backend, call, record);
  for (let c = 0; c < channels; c++) {
    const at = paddedIndex(c, record);
    const scale = (gamma?.[c] ?? 1) / Math.sqrt(variance[at] + attrs.epsilon);
    pair[c] = scale;
    pair[channels + c] = (beta?.[c] ?? 0) - mean[at] * scale;
    both[c] = mean[at];
    both[channels + c] = variance[at];
  }
  return [affine, moments];
}

/**
 * Mean and biased variance in padded layout, from each part's sums about its own pivot, merged as in
 * Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances",
 * 1979.
 */
function mergeMoments(
  backend: CpuBackend,
  { partials, partialBytes, parts, images }: RecordOf<typeof BranchesCall>,
  { statisticsSums, segments, outP, outHeight, outWidth }: RecordOf<typeof BranchRecord>,
): { mean: Float64Array; variance: Float64Array } {
  const wide = segments * outP, pixels = outHeight * outWidth;
  const mean = new Float64Array(wide), squares = new Float64Array(wide);
  let count = 0;
  for (let part = 0; part < parts; part++) {
    const at = partials + part * partialBytes + statisticsSums;
    const sums = backend.arena.doubles(at, 2 * wide);
    const pivot = backend.arena.floats(at + 16 * wide, wide);
    const first = Math.floor(part * images / parts), last = Math.floor((part + 1) * images / parts);
    const own = (last - first) * pixels, total = count + own;
    for (let c = 0; c < wide; c++) {
      const difference = sums[c] / own, step = pivot[c] + difference - mean[c];
      mean[c] += step * own / total;
      squares[c] += sums[wide + c] - sums[c] * difference + step * step * count * own / total;
    }
    count = total;
  }
  return { mean, variance: squares.map((sum) => Math.max(0, sum / count)) };
}

/** Position of result c in the padded layout of segments. */
export function paddedIndex(c: number, { out, outP }: RecordOf<typeof BranchRecord>): number {
  return Math.floor(c / out) * outP + c % out;
}

/** The sum over parts, in order, of float64 partial results. */
export function addDoubles(
  backend: CpuBackend,
  { partials, partialBytes, parts }: RecordOf<typeof BranchesCall>,
  { offset, length }: { offset: number; length: number },
): Float64Array {
  const total = new Float64Array(length);
  for (let part = 0; part < parts; part++) {
    const values = backend.arena.doubles(partials + part * partialBytes + offset, length);
    for (let i = 0; i < length; i++) total[i] += values[i];
  }
  return total;
}
