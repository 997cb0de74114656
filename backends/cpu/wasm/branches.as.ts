// The branches kernels: image by image, every intermediate in a thread's scratch that stays in the
// second-level cache. An image is activated and staged once for all branches; backward, the gradients
// of all branches meet in scratch before the gradient of x is written, once.
// Depthwise results are computed again backward, never kept.
import {
  AVG_POOL, BranchesCall, BranchRecord, CONVOLUTION, FACTORIZED_REDUCE, GradientTerm, HALF_BORDER, IDENTITY, MAX_POOL, SEPARABLE,
} from "./layouts.as";
import { flush } from "./simd.as";
import { outerSum, pointwise } from "./pointwise.as";
import { depthwise, depthwise2, depthwise2Back, depthwiseTaps } from "./depthwise.as";
import {
  addInterior, addScaled, addStatistics, addTerm, addTo, back, compact, densify, expand, fillTable, finishGradient, gather, interior, meanOf,
  normGradient, scatterAdd, stage,
} from "./images.as";
import { convolve, convolveBack, convolveTaps } from "./convolution.as";
import { averageBack, fillBorder, maximumBack, poolForward } from "./pooling.as";

const LEAST: f32 = -3.4028234663852886e38;

// @ts-ignore: decorator
@inline function isHalf(b: BranchRecord): bool { return b.kind == SEPARABLE && b.stride == 2 && b.dilation == 2; }
// @ts-ignore: decorator
@inline function record(c: BranchesCall, index: i32): BranchRecord {
  return changetype<BranchRecord>(c.branches + <usize>index * offsetof<BranchRecord>());
}

/** Prepares a thread's scratch for a part: zero borders and empty partial sums. */
function begin(c: BranchesCall, S: usize, part: i32): usize {
  const partial = c.partials + <usize>(part * c.partialBytes);
  memory.fill(partial, 0, c.partialBytes);
  if (c.needsActive) memory.fill(S + c.active, 0, c.activeBytes);
  if (c.needsRaw) memory.fill(S + c.raw, 0, c.rawBytes);
  if (c.halfBytes) memory.fill(S + c.half, 0, c.halfBytes);
  return partial;
}

function stageImage(c: BranchesCall, S: usize, x: usize): void {
  const wide = c.width + 2 * c.border, CP = c.channelsP;
  const a = interior(S + c.active, c.border, wide, CP);
  if (c.needsActive) stage(x, a, c.height, c.width, c.channels, CP, wide, c.activation, c.scale, c.shift);
  if (c.needsRaw) stage(x, interior(S + c.raw, 1, c.width + 2, CP), c.height, c.width, c.channels, CP, c.width + 2, 0, 0, 0);
  for (let i = 0; i < c.count; i++) {
    const b = record(c, i);
    if (!isHalf(b)) continue;
    const half = b.outWidth + 2 * HALF_BORDER;
    gather(a, wide, interior(S + c.half, HALF_BORDER, half, CP), half, b.outHeight, b.outWidth, CP);
    break;
  }
}

/** The top left tap of a separable branch's first output, in the image it slides over. */
function topLeft(c: BranchesCall, b: BranchRecord, S: usize): usize {
  const CP = c.channelsP;
  if (isHalf(b)) {
    const wide = b.outWidth + 2 * HALF_BORDER, pad = b.kernel >> 1;
    return back(interior(S + c.half, HALF_BORDER, wide, CP), pad * (wide + 1), CP);
  }
  const wide = c.width + 2 * c.border, pad = b.dilation * (b.kernel >> 1);
  return back(interior(S + c.active, c.border, wide, CP), pad * (wide + 1), CP);
}

function spatial(c: BranchesCall, b: BranchRecord, S: usize): void {
  const a = topLeft(c, b, S), d = S + c.spatial, CP = c.channelsP, wide = c.width + 2 * c.border;
  if (isHalf(b)) depthwise(a, b.depthwise, d, b.outHeight, b.outWidth, CP, b.kernel, 1, b.outWidth + 2 * HALF_BORDER, false);
  else if (b.stride == 1) depthwise(a, b.depthwise, d, c.height, c.width, CP, b.kernel, b.dilation, wide, false);
  else depthwise2(a, b.depthwise, d, b.outHeight, b.outWidth, CP, b.kernel, wide);
}

/** The activated pixels a 1x1 convolution reads, dense; `segment` 1 of a FactorizedReduce is offset. */
function dense(c: BranchesCall, b: BranchRecord, S: usize, segment: i32): usize {
  const wide = c.width + 2 * c.border, CP = c.channelsP, d = S + c.spatial;
  const a = interior(S + c.active, c.border, wide, CP);
  if (b.kind == FACTORIZED_REDUCE) { gather(a + (segment * (wide + 1) * CP << 2), wide, d, b.outWidth, b.outHeight, b.outWidth, CP); return d; }
  if (c.border == 0) return a;
  densify(a, d, c.height, c.width, CP, wide);
  return d;
}

/** Pixels computed before there is a pivot for the statistics: whole tiles of 6. */
const PIVOT_PIXELS: i32 = 24;

/** Pixels of a pointwise product that the first image of a part computes without statistics. */
// @ts-ignore: decorator
@inline function beforePivot(first: bool, OP: i32): i32 { return first ? min(PIVOT_PIXELS, OP) : 0; }

/** Takes the mean of the first pixels as the pivot, and adds their statistics. */
function setPivot(y: usize, pixels: i32, n: i32, st: usize, pivot: usize): void {
  meanOf(y, st + (n << 3), pixels, n);
  memory.copy(pivot, st + (n << 3), n << 2);
  addStatistics(y, pixels, n, st);
}

/** All segments of a 1x1 convolution, pixels p to p + count. */
function multiply(c: BranchesCall, b: BranchRecord, S: usize, to: usize, p: i32, count: i32, st: usize): void {
  const CP = c.channelsP, all = b.segments * b.outP, ss: usize = all << 2, tab = S + c.denseTable + (p << 2);
  for (let s = 0; s < b.segments; s++) {
    const from = b.kind == SEPARABLE ? S + c.spatial : dense(c, b, S, s), o = s * b.outP << 2;
    pointwise(from + (p * CP << 2), CP << 2, b.filter + <usize>(s * b.filterBytes), count, CP, b.outP, to + o, tab, st ? st + o : 0, ss);
  }
}

function forwardBranch(c: BranchesCall, b: BranchRecord, S: usize, n: i32, partial: usize, first: bool): void {
  const OP = b.outHeight * b.outWidth, CP = c.channelsP, all = b.segments * b.outP;
  const y = b.y + ((n * OP * b.segments * b.out) << 2), ragged = b.out != b.outP;
  const to = ragged ? S + c.incoming : y, st = b.statistics ? S + c.sums : 0;
  const sums = partial + b.statisticsSums, pivot = sums + (all << 4);
  const early = first && st != 0;
  if (st) memory.fill(st, 0, all << 3);
  if (st && !first) memory.copy(st + (all << 3), pivot, all << 2);
  if (b.kind == MAX_POOL || b.kind == AVG_POOL) {
    const average = b.kind == AVG_POOL, raw = S + c.raw;
    fillBorder(raw, c.height + 2, c.width + 2, CP, average ? 0 : LEAST);
    if (early) {
      poolForward(raw, to, c.height, c.width, CP, 0, 1, b.outWidth, b.stride, average, 0);
      setPivot(to, b.outWidth, all, st, pivot);
    }
    poolForward(raw, to, c.height, c.width, CP, i32(early), b.outHeight, b.outWidth, b.stride, average, st);
  } else if (b.kind == CONVOLUTION) {
    fillTable(S + c.denseTable, b.outWidth, all << 2);
    if (early) {
      convolve(c, b, S, to, 0, 1, 0);
      setPivot(to, b.outWidth, all, st, pivot);
    }
    convolve(c, b, S, to, i32(early), b.outHeight, st);
  } else {
    fillTable(S + c.denseTable, OP, all << 2);
    if (b.kind == SEPARABLE) spatial(c, b, S);
    const before = beforePivot(early, OP);
    if (before) {
      multiply(c, b, S, to, 0, before, 0);
      setPivot(to, before, all, st, pivot);
    }
    multiply(c, b, S, to, before, OP - before, st);
  }
  if (ragged) compact(to, y, OP, b.segments, b.out, b.outP);
  if (st) flush(st, sums, 2 * all);
}

export function branchesForward(args: usize, S: usize, part: i32): void {
  const c = changetype<BranchesCall>(args), partial = begin(c, S, part);
  const image: usize = c.height * c.width * c.channels << 2;
  const start = part * c.images / c.parts;
  for (let n = start; n < (part + 1) * c.images / c.parts; n++) {
    stageImage(c, S, c.x + <usize>n * image);
    for (let i = 0; i < c.count; i++) {
      const b = record(c, i);
      if (b.kind != IDENTITY) forwardBranch(c, b, S, n, partial, n == start);
    }
  }
}

/** The shape that the bordered gradient image already has, with its border clean. */
let cleanFor: i32 = 0;
let cleanChannels: i32 = 0;

/** Clears the bordered gradient image for a branch's results, of C channels a pixel. */
function cleanPadded(c: BranchesCall, b: BranchRecord, S: usize, C: i32): void {
  const shape = (b.outHeight << 16) | b.outWidth;
  if (cleanFor == shape && cleanChannels == C) return;
  cleanFor = shape;
  cleanChannels = C;
  memory.fill(S + c.padded, 0, c.paddedBytes);
  const e = c.gradientBorder, wide = b.outWidth + 2 * e, cs = C << 2;
  let tab = S + c.paddedTable;
  for (let i = 0; i < b.outHeight; i++) for (let j = 0; j < b.outWidth; j++) {
    store<u32>(tab, ((i + e) * wide + j + e) * cs); tab += 4;
  }
}

function separableBack(c: BranchesCall, b: BranchRecord, S: usize, partial: usize, more: bool): void {
  const OP = b.outHeight * b.outWidth, CP = c.channelsP, g = S + c.incoming, a = topLeft(c, b, S);
  if (c.filterGradient) {
    spatial(c, b, S);
    outerSum(S + c.spatial, CP << 2, g, b.outP << 2, OP, CP, b.outP, partial + b.filterSums, b.outP << 2);
  }
  cleanPadded(c, b, S, CP);
  pointwise(g, b.outP << 2, b.filterTransposed, OP, b.outP, CP, S + c.padded, S + c.paddedTable, 0, 0);
  const gwide = b.outWidth + 2 * c.gradientBorder, e = interior(S + c.padded, c.gradientBorder, gwide, CP), half = isHalf(b);
  const dilation = half ? 1 : b.dilation, stride = half ? 1 : b.stride;
  const wide = half ? b.outWidth + 2 * HALF_BORDER : c.width + 2 * c.border;
  if (c.filterGradient) depthwiseTaps(a, e, partial + b.depthwiseSums, b.outHeight, b.outWidth, CP, b.kernel, dilation, stride, wide, gwide);
  if (!c.inputGradient) return;
  const d = S + c.gradient, from = back(e, dilation * (b.kernel >> 1) * (gwide + 1), CP);
  if (half) {
    depthwise(from, b.depthwiseTurned, S + c.extra, b.outHeight, b.outWidth, CP, b.kernel, 1, gwide, false);
    if (!more) memory.fill(d, 0, c.height * c.width * CP << 2);
    scatterAdd(S + c.extra, d, b.outHeight, b.outWidth, c.width, CP);
  } else if (stride == 1) depthwise(from, b.depthwiseTurned, d, c.height, c.width, CP, b.kernel, dilation, gwide, more);
  else depthwise2Back(back(e, 2 * (gwide + 1), CP), b.depthwise, d, c.height, c.width, CP, b.kernel, gwide, more);
}

function pointwiseBack(c: BranchesCall, b: BranchRecord, S: usize, partial: usize, more: bool): void {
  const OP = b.outHeight * b.outWidth, CP = c.channelsP, ldg = b.segments * b.outP << 2;
  const d = S + c.gradient, tab = S + c.denseTable, reduce = b.kind == FACTORIZED_REDUCE;
  fillTable(tab, OP, CP << 2);
  if (reduce && !more && c.inputGradient) memory.fill(d, 0, c.height * c.width * CP << 2);
  for (let s = 0; s < b.segments; s++) {
    const g = S + c.incoming + (s * b.outP << 2);
    if (c.filterGradient) outerSum(dense(c, b, S, s), CP << 2, g, ldg, OP, CP, b.outP, partial + b.filterSums + s * b.filterSumsBytes, b.outP << 2);
    if (!c.inputGradient) continue;
    const to = reduce || more ? S + c.extra : d;
    pointwise(g, ldg, b.filterTransposed + <usize>(s * b.filterBytes), OP, b.outP, CP, to, tab, 0, 0);
    if (reduce) scatterAdd(to, d + (s * (c.width + 1) * CP << 2), b.outHeight, b.outWidth, c.width, CP);
    else if (more) addTo(d, to, OP * CP);
  }
}

function convolutionBack(c: BranchesCall, b: BranchRecord, S: usize, partial: usize, more: bool): void {
  const g = S + c.incoming, d = S + c.gradient, row = b.outWidth * b.outP << 2;
  if (c.filterGradient) convolveTaps(c, b, S, g, partial + b.filterSums);
  if (!c.inputGradient) return;
  cleanPadded(c, b, S, b.outP);
  const wide = b.outWidth + 2 * c.gradientBorder, e = interior(S + c.padded, c.gradientBorder, wide, b.outP);
  for (let i = 0; i < b.outHeight; i++) memory.copy(e + (i * wide * b.outP << 2), g + i * row, row);
  convolveBack(c, b, S, more ? S + c.extra : d);
  if (more) addTo(d, S + c.extra, c.height * c.width * c.channelsP);
}

/** The gradient before a branch's batch norm, in padded layout, at byte offset `at` of its tensors. */
function incoming(b: BranchRecord, g: usize, at: usize): void {
  const OP = b.outHeight * b.outWidth;
  normGradient(b.dy + at, b.y + at, g, OP, b.segments, b.out, b.outP, b.coefficients);
  for (let i = 0; i < b.termCount; i++) {
    const t = changetype<GradientTerm>(b.terms + <usize>i * offsetof<GradientTerm>());
    addTerm(t.dy + at, g, OP, b.segments, b.out, b.outP, t.coefficients);
  }
}

function poolBack(c: BranchesCall, b: BranchRecord, S: usize, y: usize, dx: usize): void {
  const CP = c.channelsP, H = c.height, W = c.width, out = S + c.extra, average = b.kind == AVG_POOL;
  if (average) averageBack(S + c.incoming, out, S + c.gradient, H, W, CP, b.outHeight, b.outWidth, b.stride);
  else {
    if (b.out != b.outP) { expand(y, S + c.spatial, b.outHeight * b.outWidth, 1, b.out, b.outP); y = S + c.spatial; }
    fillBorder(S + c.raw, H + 2, W + 2, CP, LEAST);
    maximumBack(S + c.raw, y, S + c.incoming, out, H, W, CP, b.outHeight, b.outWidth, b.stride);
  }
  addInterior(interior(out, 1, W + 2, CP), dx, H, W, c.channels, CP, W + 2);
}

export function branchesBackward(args: usize, S: usize, part: i32): void {
  const c = changetype<BranchesCall>(args), partial = begin(c, S, part), CP = c.channelsP;
  const pixels = c.height * c.width, image: usize = pixels * c.channels << 2, wide = c.width + 2 * c.border;
  cleanFor = 0;
  memory.fill(S + c.sums, 0, CP << 3);
  for (let n = part * c.images / c.parts; n < (part + 1) * c.images / c.parts; n++) {
    const x = c.x + <usize>n * image, dx = c.dx + <usize>n * image;
    stageImage(c, S, x);
    let more = false;
    for (let i = 0; i < c.count; i++) {
      const b = record(c, i);
      if (b.kind >= MAX_POOL) continue;
      const OP = b.outHeight * b.outWidth, at: usize = n * OP * b.segments * b.out << 2;
      incoming(b, S + c.incoming, at);
      if (b.kind == SEPARABLE) separableBack(c, b, S, partial, more);
      else if (b.kind == CONVOLUTION) convolutionBack(c, b, S, partial, more);
      else pointwiseBack(c, b, S, partial, more);
      more = true;
    }
    if (!c.inputGradient) continue;
    if (more) {
      finishGradient(S + c.gradient, interior(S + c.active, c.border, wide, CP), x, dx, c.height, c.width, c.channels, CP, wide, c.activation, c.scale, S + c.sums);
      if (c.activation == 2) flush(S + c.sums, partial + c.affineSums, 2 * CP);
    } else memory.fill(dx, 0, image);
    for (let i = 0; i < c.count; i++) {
      const b = record(c, i), OP = b.outHeight * b.outWidth, at: usize = n * OP * b.out << 2;
      if (b.kind == IDENTITY) {
        addScaled(dx, b.dy + at, b.coefficients, pixels, c.channels);
        for (let j = 0; j < b.termCount; j++) {
          const t = changetype<GradientTerm>(b.terms + <usize>j * offsetof<GradientTerm>());
          addScaled(dx, t.dy + at, t.coefficients, pixels, c.channels);
        }
      }
      else if (b.kind == MAX_POOL || b.kind == AVG_POOL) {
        incoming(b, S + c.incoming, at);
        poolBack(c, b, S, b.y + at, dx);
      }
    }
  }
}
