// Depthwise convolutions over an image staged with a zero border, 8 (with WIDE) or 4 channels at a time: forward, the
// gradient by input (a convolution of the bordered output gradient) and the gradient by taps.
// C is a multiple of 4; strides are in bytes.
import { rowTile, tapTile, slide3x1, slide3x2, slide3Addx1, slide3Addx2 } from "./tiles.as";
import { WIDE } from "./config.as";
import { Z } from "./simd.as";

/** Whether the tile of the next channels takes 8 of them, `left` to go. */
// @ts-ignore: decorator
@inline function takesEight(left: i32): bool { return WIDE && left >= 8; }

/** One row of n outputs, `taps` columns by kr rows of taps. */
function row(taps: i32, wide: bool, s: usize, w: usize, y: usize, n: i32, cs: usize, rs: usize, ws: usize, wr: usize, ys: usize, kr: i32, more: bool): void {
  const most = taps == 7 ? 4 : 8;
  while (n > 0) {
    const outputs = n >= most ? most : n >= 4 ? 4 : 1;
    rowTile(taps, outputs, wide, s, w, y, cs, rs, ws, wr, ys, kr, more);
    s += <usize>outputs * cs; y += <usize>outputs * ys; n -= outputs;
  }
}

/**
 * Stride 1. `a` is the top left tap of output (0, 0) in a staged image of `wide` pixels a row; y is
 * dense H x W. With more, adds to y.
 */
export function depthwise(a: usize, w: usize, y: usize, H: i32, W: i32, C: i32, k: i32, dil: i32, wide: i32, more: bool): void {
  const ws: usize = C << 2, cs: usize = dil * C << 2, rs: usize = <usize>wide * cs;
  for (let i = 0; i < H; i++) for (let c = 0, eight = takesEight(C); c < C; c += eight ? 8 : 4, eight = takesEight(C - c)) for (let ph = 0; ph < dil; ph++) {
    const n = (W - ph + dil - 1) / dil;
    const s = a + ((i * wide + ph) * C + c << 2), q = y + ((i * W + ph) * C + c << 2), u = w + (c << 2);
    if (n <= 0) continue;
    if (k == 3) {
      if (eight) { if (more) slide3Addx2(s, u, q, n, cs, rs, ws, cs); else slide3x2(s, u, q, n, cs, rs, ws, cs); }
      else { if (more) slide3Addx1(s, u, q, n, cs, rs, ws, cs); else slide3x1(s, u, q, n, cs, rs, ws, cs); }
    } else row(k, eight, s, u, q, n, cs, rs, ws, <usize>k * ws, cs, k, more);
  }
}

/** Stride 2: even and odd tap columns each stream every second image column. */
export function depthwise2(a: usize, w: usize, y: usize, OH: i32, OW: i32, C: i32, k: i32, wide: i32): void {
  const ws: usize = C << 2, rs: usize = wide * C << 2, c2: usize = C << 3, wr: usize = <usize>k * ws;
  const even = (k + 1) >> 1, odd = k >> 1;
  for (let i = 0; i < OH; i++) for (let c = 0, eight = takesEight(C); c < C; c += eight ? 8 : 4, eight = takesEight(C - c)) {
    const s = a + (2 * i * wide * C + c << 2), u = w + (c << 2), q = y + (i * OW * C + c << 2);
    row(even, eight, s, u, q, OW, c2, rs, c2, wr, ws, k, false);
    if (odd) row(odd, eight, s + ws, u + ws, q, OW, c2, rs, c2, wr, ws, k, true);
  }
}

/**
 * Gradient by input at stride 2, one stride-1 convolution per parity of row and column. `e` points 2
 * pixels up and left of the output gradient, in a bordered image of `wide` pixels a row; y is dense.
 */
export function depthwise2Back(e: usize, w: usize, y: usize, H: i32, W: i32, C: i32, k: i32, wide: i32, more: bool): void {
  const ws: usize = C << 2, rs: usize = wide * C << 2, pad = k >> 1;
  const ts: usize = 0 - 2 * ws, tr: usize = 0 - <usize>(2 * k) * ws;
  for (let a = 0; a < 2; a++) for (let b = 0; b < 2; b++) {
    const kr = (k + 1 - a) >> 1, kc = (k + 1 - b) >> 1, m0 = (pad - a + 1) >> 1, n0 = (pad - b + 1) >> 1;
    const i0 = 2 * m0 + a - pad, j0 = 2 * n0 + b - pad;
    const rows = (H - i0 + 1) >> 1, columns = (W - j0 + 1) >> 1;
    for (let r = 0; r < rows; r++) for (let c = 0, eight = takesEight(C); c < C; c += eight ? 8 : 4, eight = takesEight(C - c)) {
      if (columns <= 0) continue;
      const q = y + (((i0 + 2 * r) * W + j0) * C + c << 2);
      if (kr == 0 || kc == 0) { if (!more) clear(q, columns, eight, 2 * ws); continue; }
      const s = e + (((m0 + r - kr + 3) * wide + n0 - kc + 3) * C + c << 2);
      const u = w + (((a + 2 * (kr - 1)) * k + b + 2 * (kc - 1)) * C + c << 2);
      row(kc, eight, s, u, q, columns, ws, rs, ts, tr, 2 * ws, kr, more);
    }
  }
}

function clear(q: usize, n: i32, eight: bool, step: usize): void {
  for (; n > 0; n--) { v128.store(q, Z()); if (eight) v128.store(q, Z(), 16); q += step; }
}

/** Rows of taps taken at once for `taps` columns, with `left` rows to go. */
// @ts-ignore: decorator
@inline function tapRows(taps: i32, left: i32): i32 {
  const most = taps <= 2 ? 5 : taps == 3 ? 3 : taps <= 5 ? 2 : 1;
  if (left >= most) return most;
  return left == 4 ? 3 : left;
}

/**
 * Gradient by taps, added to acc[k][k][C]. `a` as in depthwise, `g` the interior of the bordered
 * output gradient of `gwide` pixels a row. Odd widths read one border column, whose gradient is zero.
 */
export function depthwiseTaps(a: usize, g: usize, acc: usize, OH: i32, OW: i32, C: i32, k: i32, dil: i32, stride: i32, wide: i32, gwide: i32): void {
  const ws: usize = C << 2, wr: usize = <usize>k * ws;
  const block = C * wide >= 512 ? 4 : 8;
  for (let i = 0; i < OH; i += block) {
    const m = min(block, OH - i);
    for (let c = 0, eight = takesEight(C); c < C; c += eight ? 8 : 4, eight = takesEight(C - c)) for (let ph = 0; ph < dil; ph++) {
      const n = (OW - ph + dil - 1) / dil;
      if (n <= 0) continue;
      const s = a + ((stride * i * wide + ph) * C + c << 2), q = g + ((i * gwide + ph) * C + c << 2), w = acc + (c << 2);
      const gs: usize = dil * C << 2, sr: usize = stride * wide * C << 2, gr: usize = gwide * C << 2;
      const rs: usize = dil * wide * C << 2;
      for (let b = 0; b < stride; b++) {
        const kc = stride == 1 ? k : (k + 1 - b) >> 1;
        if (kc == 0) continue;
        const cs: usize = stride == 1 ? gs : C << 3, wst: usize = stride == 1 ? ws : 2 * ws;
        for (let r = 0; r < k;) {
          const rows = tapRows(kc, k - r);
          tapTile(kc, rows, eight, s + <usize>b * ws + <usize>r * rs, q, w + <usize>b * ws + <usize>r * wr, m, n, cs, rs, wst, wr, gs, sr, gr);
          r += rows;
        }
      }
    }
  }
}
