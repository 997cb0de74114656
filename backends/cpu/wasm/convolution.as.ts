// Dense convolutions without patches: the taps of a row lie side by side in the staged image, so that a
// row of results is a pointwise product over `kernel` runs of memory, one row of the image apart. The gradient
// by input is the same over the bordered gradient of the results, for every remainder of row and
// column by the stride: its taps are those of that remainder, the last first.
import { BranchesCall, BranchRecord } from "./layouts.as";
import { back, fillTable, interior } from "./images.as";
import { outerSum, packTaps, pointwise } from "./pointwise.as";
import { Z } from "./simd.as";

/** Taps along one axis of which every stride-th, from `remainder` on, is taken. */
// @ts-ignore: decorator
@inline function tapsOf(kernel: i32, stride: i32, remainder: i32): i32 { return (kernel + stride - 1 - remainder) / stride; }
/** The first result whose window reaches the first pixel of a remainder; that pixel is `stride first + remainder - pad`. */
// @ts-ignore: decorator
@inline function firstResult(kernel: i32, stride: i32, remainder: i32): i32 { return ((kernel >> 1) - remainder + stride - 1) / stride; }

/** The top left tap of the first result, in the staged image. */
// @ts-ignore: decorator
@inline function topLeftTap(c: BranchesCall, b: BranchRecord, S: usize): usize {
  const wide = c.width + 2 * c.border;
  return back(interior(S + c.active, c.border, wide, c.channelsP), (b.kernel >> 1) * (wide + 1), c.channelsP);
}

/** Rows first to last - 1 of the results; with st, adds statistics. The dense table holds the offsets in a row. */
export function convolve(c: BranchesCall, b: BranchRecord, S: usize, to: usize, first: i32, last: i32, st: usize): void {
  const pixel: usize = c.channelsP << 2, row: usize = <usize>(c.width + 2 * c.border) * pixel, ss: usize = b.outP << 2;
  const run = b.kernel * c.channelsP, step: usize = b.stride * row;
  let x = topLeftTap(c, b, S) + <usize>first * step, y = to + <usize>(first * b.outWidth) * ss;
  for (let i = first; i < last; i++, x += step, y += <usize>b.outWidth * ss) {
    pointwise(x, b.stride * pixel, b.filter, b.outWidth, run, b.outP, y, S + c.denseTable, st, ss, b.kernel, row - (run << 2));
  }
}

/** Adds the gradient of the filter to w, `[kernel, kernel, channelsP, outP]`, from the dense gradient g of the results. */
export function convolveTaps(c: BranchesCall, b: BranchRecord, S: usize, g: usize, w: usize): void {
  const pixel: usize = c.channelsP << 2, row: usize = <usize>(c.width + 2 * c.border) * pixel, ldg: usize = b.outP << 2;
  const run = b.kernel * c.channelsP;
  let x = topLeftTap(c, b, S);
  for (let i = 0; i < b.outHeight; i++, x += b.stride * row, g += <usize>b.outWidth * ldg) for (let r = 0; r < b.kernel; r++) {
    outerSum(x + <usize>r * row, b.stride * pixel, g, ldg, b.outWidth, run, b.outP, w + <usize>(r * run) * ldg, ldg);
  }
}

/** The gradient by the activated image to `to`, dense, from that of the results in the bordered image `padded`. */
export function convolveBack(c: BranchesCall, b: BranchRecord, S: usize, to: usize): void {
  const CP = c.channelsP, MP = b.outP, stride = b.stride, wide = b.outWidth + 2 * c.gradientBorder;
  const e = interior(S + c.padded, c.gradientBorder, wide, MP), row: usize = wide * MP << 2;
  let filter = b.filterTransposed;
  fillTable(S + c.denseTable, b.outWidth, stride * CP << 2);
  for (let a = 0; a < stride; a++) for (let d = 0; d < stride; d++) {
    const rows = tapsOf(b.kernel, stride, a), columns = tapsOf(b.kernel, stride, d), run = columns * MP;
    const top = firstResult(b.kernel, stride, a), left = firstResult(b.kernel, stride, d);
    const i0 = stride * top + a - (b.kernel >> 1), j0 = stride * left + d - (b.kernel >> 1);
    const high = (c.height - i0 + stride - 1) / stride, across = (c.width - j0 + stride - 1) / stride;
    for (let i = 0; i < high; i++) {
      const y = to + <usize>(((i0 + stride * i) * c.width + j0) * CP << 2);
      if (run == 0 || rows == 0) { clearPixels(y, across, CP << 2, stride * CP << 2); continue; }
      const g = e + (((top + i - rows + 1) * wide + left - columns + 1) * MP << 2);
      pointwise(g, MP << 2, filter, across, run, CP, y, S + c.denseTable, 0, 0, rows, row - (run << 2));
    }
    filter += <usize>(rows * run * CP) << 2;
  }
}

function clearPixels(y: usize, n: i32, bytes: usize, step: usize): void {
  for (; n > 0; n--, y += step) for (let o: usize = 0; o < bytes; o += 16) v128.store(y + o, Z());
}

/** Packs a filter `[kernel, kernel, C, M]` for convolve or, `backward`, for convolveBack. */
export function packConvolution(w: usize, packed: usize, kernel: i32, C: i32, M: i32, stride: i32, backward: i32): void {
  if (!backward) { packTaps(w, packed, C, M, false, kernel, kernel, kernel * C * M, C * M); return; }
  for (let a = 0; a < stride; a++) for (let d = 0; d < stride; d++) {
    const rows = tapsOf(kernel, stride, a), columns = tapsOf(kernel, stride, d);
    const last = (a + stride * (rows - 1)) * kernel + d + stride * (columns - 1);
    packTaps(w + (last * C * M << 2), packed, C, M, true, rows, columns, 0 - stride * kernel * C * M, 0 - stride * C * M);
    packed += <usize>(rows * columns * (C + 3 & ~3) * (M + 3 & ~3)) << 2;
  }
}
