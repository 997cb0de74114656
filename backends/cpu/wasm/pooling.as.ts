// 3x3 pools with padding 1 over an image staged raw with a border of 1, channels a multiple of 4.
// The border holds zeros for an average (padding is left out of its count), the least float for a maximum.
import { add, fma, mul, Z } from "./simd.as";

/** Sets the border of a staged image of `wide` x `high` pixels. */
export function fillBorder(a: usize, high: i32, wide: i32, C: i32, value: f32): void {
  const cs: usize = C << 2, row: usize = <usize>wide * cs, v = f32x4.splat(value);
  const last = a + <usize>(high - 1) * row;
  for (let o: usize = 0; o < row; o += 16) { v128.store(a + o, v); v128.store(last + o, v); }
  for (let i = 1; i < high - 1; i++) {
    const p = a + <usize>i * row, q = p + row - cs;
    for (let o: usize = 0; o < cs; o += 16) { v128.store(p + o, v); v128.store(q + o, v); }
  }
}

/** Pixels that window i of a pool covers along a side of `size`. */
// @ts-ignore: decorator
@inline function covered(i: i32, stride: i32, size: i32): i32 {
  return min(i * stride + 2, size) - max(i * stride - 1, 0);
}

// @ts-ignore: decorator
@inline function join(a: v128, b: v128, average: bool): v128 { return average ? add(a, b) : f32x4.pmax(a, b); }
// @ts-ignore: decorator
@inline function column(p: usize, row: usize, average: bool): v128 {
  return join(join(v128.load(p), v128.load(p + row), average), v128.load(p + 2 * row), average);
}

/** Rows first to last - 1 of y, C channels a pixel, from a staged image; with st, adds statistics. */
export function poolForward(a: usize, y: usize, H: i32, W: i32, C: i32, first: i32, last: i32, OW: i32, stride: i32, average: bool, st: usize): void {
  const cs: usize = C << 2, row: usize = (W + 2) * C << 2;
  y += <usize>(first * OW) * cs;
  for (let i = first; i < last; i++) {
    const rv = covered(i, stride, H);
    const left = f32x4.splat(<f32>1 / <f32>(rv * covered(0, stride, W)));
    const right = f32x4.splat(<f32>1 / <f32>(rv * covered(OW - 1, stride, W)));
    const full = f32x4.splat(<f32>1 / <f32>(rv * 3));
    for (let c: usize = 0; c < cs; c += 16) {
      let p = a + <usize>(i * stride) * row + c, q = y + c;
      let s = Z(), t = Z(), pivot = Z();
      if (st) pivot = v128.load(st + 2 * cs + c);
      let m0 = column(p, row, average); p += cs;
      let m1 = column(p, row, average); p += cs;
      for (let j = 0; j < OW; j++) {
        const m2 = column(p, row, average); p += cs;
        let v = join(join(m0, m1, average), m2, average);
        if (average) v = mul(v, j == 0 ? left : j == OW - 1 ? right : full);
        v128.store(q, v); q += cs;
        v = f32x4.sub(v, pivot); s = add(s, v); t = fma(v, v, t);
        if (stride == 1) { m0 = m1; m1 = m2; }
        else if (j < OW - 1) { m0 = m2; m1 = column(p, row, average); p += cs; }
      }
      if (st) { v128.store(st + c, add(v128.load(st + c), s)); v128.store(st + cs + c, add(v128.load(st + cs + c), t)); }
    }
    y += <usize>OW * cs;
  }
}

/**
 * Gradient of an average, written to the interior of `out`, an image with a border of 1: at stride 1 a
 * sliding 3x3 sum of g / count, whose border `work` (same shape) supplies; else scattered.
 */
export function averageBack(g: usize, out: usize, work: usize, H: i32, W: i32, C: i32, OH: i32, OW: i32, stride: i32): void {
  const cs: usize = C << 2, row: usize = (W + 2) * C << 2, bytes: usize = <usize>(H + 2) * row;
  memory.fill(stride == 1 ? work : out, 0, bytes);
  for (let i = 0; i < OH; i++) for (let j = 0; j < OW; j++) {
    const inverse = f32x4.splat(<f32>1 / <f32>(covered(i, stride, H) * covered(j, stride, W)));
    for (let c: usize = 0; c < cs; c += 16) {
      const v = mul(v128.load(g + c), inverse);
      if (stride == 1) { v128.store(work + <usize>(i + 1) * row + <usize>(j + 1) * cs + c, v); continue; }
      let q = out + <usize>(i * stride) * row + <usize>(j * stride) * cs + c;
      for (let r = 0; r < 3; r++) {
        v128.store(q, add(v128.load(q), v)); v128.store(q + cs, add(v128.load(q + cs), v));
        v128.store(q + 2 * cs, add(v128.load(q + 2 * cs), v)); q += row;
      }
    }
    g += cs;
  }
  if (stride != 1) return;
  for (let i = 0; i < H; i++) for (let c: usize = 0; c < cs; c += 16) {
    let p = work + <usize>i * row + c, q = out + <usize>(i + 1) * row + cs + c;
    let m0 = column(p, row, true); p += cs;
    let m1 = column(p, row, true); p += cs;
    for (let j = 0; j < W; j++) {
      const m2 = column(p, row, true); p += cs;
      v128.store(q, add(add(m0, m1), m2)); q += cs; m0 = m1; m1 = m2;
    }
  }
}

/** Gradient of a maximum, added to the first largest pixel of each window of `out`, border of 1. */
export function maximumBack(a: usize, y: usize, g: usize, out: usize, H: i32, W: i32, C: i32, OH: i32, OW: i32, stride: i32): void {
  const cs: usize = C << 2, row: usize = (W + 2) * C << 2;
  memory.fill(out, 0, <usize>(H + 2) * row);
  for (let i = 0; i < OH; i++) for (let j = 0; j < OW; j++) {
    const at = <usize>(i * stride) * row + <usize>(j * stride) * cs;
    for (let c: usize = 0; c < cs; c += 16) {
      const v = v128.load(y + c), d = v128.load(g + c);
      let free = i32x4.splat(-1), p = a + at + c, q = out + at + c;
      for (let r = 0; r < 3; r++) {
        for (let s: usize = 0; s < 3 * cs; s += cs) {
          const hit = v128.and(f32x4.eq(v128.load(p + s), v), free);
          free = v128.andnot(free, hit);
          v128.store(q + s, add(v128.load(q + s), v128.and(d, hit)));
        }
        p += row; q += row;
      }
    }
    y += cs; g += cs;
  }
}
