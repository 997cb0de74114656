/**
 * Lays out a call of the branches kernels: scratch of a thread, partial sums of a part, and one record
 * per branch. Sizes come from geometry alone; nothing here touches tensors' values.
 */

import { windowPadding } from "../../geometry/windows.ts";
import type { BranchesAttrs, BranchSpec } from "../../ops/branch_spec.ts";
import { emptyRecord, type RecordOf } from "../records.ts";
import { BRANCH_KINDS, BranchesCall, BranchRecord, HALF_BORDER } from "../wasm/layouts.ts";

/** Rounds up to a multiple of 4. */
export function padded(channels: number): number {
  return (channels + 3) & ~3;
}

/** Bytes of `floats` values as a scratch slot: aligned, and never a power of two apart. */
function slot(floats: number): number {
  return Math.ceil(floats / 16) * 64 + 320;
}

export interface BranchesPlan {
  call: RecordOf<typeof BranchesCall>;
  records: RecordOf<typeof BranchRecord>[];
  scratchBytes: number;
}

/** The plan of a call on `shape` = [N, H, W, C]; addresses are left 0. */
export function planBranches(
  shape: number[],
  attrs: BranchesAttrs,
  { parts, backward }: { parts: number; backward: boolean },
): BranchesPlan {
  const [images, height, width, channels] = shape;
  const call = emptyRecord(BranchesCall), channelsP = padded(channels);
  const records = attrs.branches.map(recordOf);
  const convolutional = attrs.branches.filter((spec) =>
    BRANCH_KINDS[spec.kind] <= BRANCH_KINDS.convolution
  );
  const pooled = attrs.branches.some((spec) => spec.kind.endsWith("_pool"));
  const half = attrs.branches.filter(isHalf);
  Object.assign(call, {
    images,
    parts,
    height,
    width,
    channels,
    channelsP,
    activation: attrs.hasAffine ? 2 : attrs.relu ? 1 : 0,
    count: records.length,
    inputGradient: Number(attrs.inputGradient),
    filterGradient: Number(attrs.filterGradient),
    border: Math.max(0, ...convolutional.filter((spec) => !isHalf(spec)).map(windowPadding)),
    gradientBorder: Math.max(2, ...convolutional.map(windowPadding)),
    needsActive: Number(convolutional.length > 0),
    needsRaw: Number(pooled),
  });
  const outPixels = Math.max(1, ...attrs.branches.map(({ output }) => output[0] * output[1]));
  const widest = Math.max(channelsP, ...records.map((record) => record.segments * record.outP));
  const ring = (border: number, h: number, w: number) => (h + 2 * border) * (w + 2 * border);
  const slack = 16 * channelsP;
  let scratchBytes = 0;
  const place = (floats: number) => {
    const at = scratchBytes;
    scratchBytes += slot(floats);
    return at;
  };
  const zeroed = (field: "active" | "raw" | "half" | "padded", floats: number) => {
    call[field] = place(floats);
    call[`${field}Bytes`] = 4 * floats;
  };
  const plane = channelsP * ring(1, height, width);
  zeroed("active", channelsP * ring(call.border, height, width) + slack);
  zeroed("raw", pooled ? plane : 0);
  zeroed(
    "half",
    half.length === 0
      ? 0
      : channelsP * ring(HALF_BORDER, Math.ceil(height / 2), Math.ceil(width / 2)) + slack,
  );
  call.spatial = place(channelsP * outPixels);
  call.incoming = place(widest * outPixels);
  call.sums = place(3 * widest);
  call.denseTable = place(outPixels);
  if (backward) {
    const paddedFloats = records.map(({ kind, outP, outHeight, outWidth }) =>
      (kind === BRANCH_KINDS.convolution ? outP : channelsP) *
      ring(call.gradientBorder, outHeight, outWidth)
    );
    zeroed("padded", Math.max(...paddedFloats) + slack);
    call.gradient = place(plane);
    call.extra = place(Math.max(plane, channelsP * outPixels));
    call.paddedTable = place(outPixels);
  }
  if (backward) layGradientSums(call, records, attrs);
  else layStatistics(call, records);
  return { call, records, scratchBytes };
}

function isHalf(spec: BranchSpec): boolean {
  return spec.kind === "separable" && spec.stride === 2 && spec.dilation === 2;
}

function recordOf(spec: BranchSpec): RecordOf<typeof BranchRecord> {
  const segments = spec.kind === "factorized_reduce" ? 2 : 1, out = spec.output[2] / segments;
  return {
    ...emptyRecord(BranchRecord),
    kind: BRANCH_KINDS[spec.kind],
    kernel: spec.kernel,
    stride: spec.stride,
    dilation: spec.dilation,
    outHeight: spec.output[0],
    outWidth: spec.output[1],
    out,
    outP: padded(out),
    segments,
    statistics: Number(spec.statistics),
  };
}

/** Matrices `[channelsP, outP]` of a branch's dense filter: one, or one a tap of a convolution. */
export function tapsOf({ kind, kernel }: RecordOf<typeof BranchRecord>): number {
  return kind === BRANCH_KINDS.convolution ? kernel ** 2 : 1;
}

function layStatistics(
  call: BranchesPlan["call"],
  records: BranchesPlan["records"],
): void {
  for (const record of records) {
    record.statisticsSums = call.partialBytes;
    if (record.statistics) call.partialBytes += 8 * Math.ceil(2.5 * record.segments * record.outP);
  }
}

function layGradientSums(
  call: BranchesPlan["call"],
  records: BranchesPlan["records"],
  attrs: BranchesAttrs,
): void {
  call.affineSums = call.partialBytes;
  if (attrs.hasAffine) call.partialBytes += 16 * call.channelsP;
  if (!attrs.filterGradient) return;
  for (const record of records) {
    if (record.kind > BRANCH_KINDS.convolution) continue;
    record.depthwiseSums = call.partialBytes;
    if (record.kind === BRANCH_KINDS.separable) {
      call.partialBytes += 4 * record.kernel ** 2 * call.channelsP;
    }
    record.filterSums = call.partialBytes;
    record.filterSumsBytes = 4 * tapsOf(record) * call.channelsP * record.outP;
    call.partialBytes += record.segments * record.filterSumsBytes;
  }
}
