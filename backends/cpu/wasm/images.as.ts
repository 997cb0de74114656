// Moving images between dense memory and scratch: staging with activation, gathering, compacting to and
// from channels padded to a multiple of 4, and the sums of gradients.
import { add, fma, mul, relu, store2, Z } from "./simd.as";

/** The first pixel inside the border of an image of `wide` pixels a row. */
// @ts-ignore: decorator
@inline export function interior(image: usize, border: i32, wide: i32, C: i32): usize {
  return image + (border * (wide + 1) * C << 2);
}
/** The address a number of pixels before p. */
// @ts-ignore: decorator
@inline export function back(p: usize, pixels: i32, C: i32): usize { return p - (pixels * C << 2); }

/** Byte offsets of pixels `step` bytes apart. */
export function fillTable(tab: usize, pixels: i32, step: i32): void {
  for (let p = 0; p < pixels; p++) store<u32>(tab + (p << 2), p * step);
}

/** A row of pixels whose channels fill no whole vectors: what is loaded behind them is masked. */
function stageRagged(x: usize, a: usize, W: i32, C: i32, CP: i32, mode: i32, scale: usize, shift: usize): void {
  const whole: usize = (C & ~3) << 2, rest = C & 3, ones = i32x4.splat(-1);
  const mask = rest == 1 ? i32x4(-1, 0, 0, 0) : rest == 2 ? i32x4(-1, -1, 0, 0) : i32x4(-1, -1, -1, 0);
  for (let j = 0; j < W; j++, x += C << 2, a += CP << 2) {
    for (let c: usize = 0; c <= whole; c += 16) {
      let v = v128.load(x + c);
      if (mode == 2) v = fma(v, v128.load(scale + c), v128.load(shift + c));
      if (mode) v = relu(v);
      v128.store(a + c, v128.and(v, c < whole ? ones : mask));
    }
  }
}

/** Activates a dense image of C channels into the interior `a` of a staged one of CP channels. */
export function stage(x: usize, a: usize, H: i32, W: i32, C: i32, CP: i32, wide: i32, mode: i32, scale: usize, shift: usize): void {
  const row: usize = W * C << 2, step: usize = wide * CP << 2, cs: usize = C << 2;
  for (let i = 0; i < H; i++) {
    if (C != CP) {
      stageRagged(x, a, W, C, CP, mode, scale, shift);
    } else if (mode == 2) {
      for (let c: usize = 0; c < cs; c += 16) {
        const s = v128.load(scale + c), t = v128.load(shift + c);
        for (let o = c; o < row; o += cs) v128.store(a + o, relu(fma(v128.load(x + o), s, t)));
      }
    } else if (mode == 1) {
      for (let o: usize = 0; o < row; o += 16) v128.store(a + o, relu(v128.load(x + o)));
    } else memory.copy(a, x, row);
    x += row; a += step;
  }
}

/** Every second pixel from `a`, OH x OW of them, to rows `wide` pixels apart. */
export function gather(a: usize, from: i32, d: usize, wide: i32, OH: i32, OW: i32, C: i32): void {
  const cs: usize = C << 2;
  for (let i = 0; i < OH; i++) {
    let p = a + <usize>(2 * i * from) * cs, q = d + <usize>(i * wide) * cs;
    for (let j = 0; j < OW; j++) {
      for (let o: usize = 0; o < cs; o += 16) v128.store(q + o, v128.load(p + o));
      p += 2 * cs; q += cs;
    }
  }
}

/** Adds dense OH x OW to every second pixel of a dense image of W pixels a row. */
export function scatterAdd(s: usize, d: usize, OH: i32, OW: i32, W: i32, C: i32): void {
  const cs: usize = C << 2;
  for (let i = 0; i < OH; i++) {
    let q = d + <usize>(2 * i * W) * cs;
    for (let j = 0; j < OW; j++) {
      for (let o: usize = 0; o < cs; o += 16) v128.store(q + o, add(v128.load(q + o), v128.load(s + o)));
      s += cs; q += 2 * cs;
    }
  }
}

/** Copies rows of a staged interior to a dense image. */
export function densify(a: usize, d: usize, H: i32, W: i32, C: i32, wide: i32): void {
  const row: usize = W * C << 2, step: usize = wide * C << 2;
  for (let i = 0; i < H; i++) { memory.copy(d, a, row); d += row; a += step; }
}

/** d += s over n floats. */
export function addTo(d: usize, s: usize, n: i32): void {
  const all: usize = <usize>n << 2, whole = all & ~15;
  let o: usize = 0;
  for (; o < whole; o += 16) v128.store(d + o, add(v128.load(d + o), v128.load(s + o)));
  for (; o < all; o += 4) store<f32>(d + o, load<f32>(d + o) + load<f32>(s + o));
}

/** Zeros from p to `end`: short runs, which a call to fill memory would cost more than. */
export function clearTo(p: usize, end: usize): void {
  for (; p + 16 <= end; p += 16) v128.store(p, Z());
  for (; p < end; p += 4) store<f32>(p, 0);
}

/** Segments of M results padded to MP, pixel by pixel, to dense memory (or back with expand). */
export function compact(s: usize, d: usize, pixels: i32, segments: i32, M: i32, MP: i32): void {
  for (let p = 0; p < pixels * segments; p++) {
    for (let m = 0; m < M; m++) store<f32>(d + (m << 2), load<f32>(s + (m << 2)));
    s += MP << 2; d += M << 2;
  }
}
export function expand(s: usize, d: usize, pixels: i32, segments: i32, M: i32, MP: i32): void {
  for (let p = 0; p < pixels * segments; p++) {
    for (let m = 0; m < MP; m++) store<f32>(d + (m << 2), m < M ? load<f32>(s + (m << 2)) : 0);
    s += M << 2; d += MP << 2;
  }
}

/**
 * g = a dy + b y + c by channel: the gradient before batch norm, with coefficients `[3, n]`, n results
 * a pixel in padded layout; y and dy dense.
 */
export function normGradient(dy: usize, y: usize, g: usize, pixels: i32, segments: i32, M: i32, MP: i32, coefficients: usize): void {
  const n = segments * MP, one: usize = n << 2;
  if (M != MP) {
    for (let p = 0; p < pixels; p++) for (let s = 0; s < segments; s++) for (let m = 0; m < MP; m++) {
      const at = <usize>(s * MP + m) << 2, from = <usize>((p * segments + s) * M + m) << 2;
      const a = load<f32>(coefficients + at), b = load<f32>(coefficients + one + at), c = load<f32>(coefficients + 2 * one + at);
      store<f32>(g + <usize>p * one + at, m < M ? a * load<f32>(dy + from) + b * load<f32>(y + from) + c : 0);
    }
    return;
  }
  const all: usize = <usize>pixels * one;
  let m: usize = 0;
  // A whole cache line at a time, so that y and dy are fetched once.
  for (; m + 64 <= one; m += 64) {
    const k = coefficients + m, l = k + one, h = l + one;
    const a0 = v128.load(k), a1 = v128.load(k, 16), a2 = v128.load(k, 32), a3 = v128.load(k, 48);
    const b0 = v128.load(l), b1 = v128.load(l, 16), b2 = v128.load(l, 32), b3 = v128.load(l, 48);
    const c0 = v128.load(h), c1 = v128.load(h, 16), c2 = v128.load(h, 32), c3 = v128.load(h, 48);
    for (let o = m; o < all; o += one) {
      const p = dy + o, q = y + o, r = g + o;
      v128.store(r, fma(v128.load(p), a0, fma(v128.load(q), b0, c0)));
      v128.store(r, fma(v128.load(p, 16), a1, fma(v128.load(q, 16), b1, c1)), 16);
      v128.store(r, fma(v128.load(p, 32), a2, fma(v128.load(q, 32), b2, c2)), 32);
      v128.store(r, fma(v128.load(p, 48), a3, fma(v128.load(q, 48), b3, c3)), 48);
    }
  }
  for (; m < one; m += 16) {
    const a = v128.load(coefficients + m), b = v128.load(coefficients + one + m), c = v128.load(coefficients + 2 * one + m);
    for (let o = m; o < all; o += one) v128.store(g + o, fma(v128.load(dy + o), a, fma(v128.load(y + o), b, c)));
  }
}

/** g += a dy by channel, g in padded layout. */
export function addTerm(dy: usize, g: usize, pixels: i32, segments: i32, M: i32, MP: i32, coefficients: usize): void {
  const n = segments * MP;
  if (M == MP) { addScaled(g, dy, coefficients, pixels, n); return; }
  for (let p = 0; p < pixels; p++) for (let s = 0; s < segments; s++) for (let m = 0; m < M; m++) {
    const to = g + (p * n + s * MP + m << 2), from = dy + ((p * segments + s) * M + m << 2);
    store<f32>(to, load<f32>(to) + load<f32>(coefficients + (s * MP + m << 2)) * load<f32>(from));
  }
}

/**
 * The gradient of x from that of the activated image: masked where the staged image `a` is 0, scaled
 * by channel under an affine activation, whose own gradients (of scale and shift) join `sums`.
 */
export function finishGradient(d: usize, a: usize, x: usize, dx: usize, H: i32, W: i32, C: i32, CP: i32, wide: i32, mode: i32, scale: usize, sums: usize): void {
  const row: usize = W * C << 2, step: usize = wide * CP << 2, cs: usize = C << 2, z = Z();
  for (let i = 0; i < H; i++) {
    if (C != CP) {
      for (let j = 0; j < W; j++) for (let c = 0; c < C; c++) {
        const at = <usize>(j * CP + c) << 2, to = <usize>(j * C + c) << 2, k = <usize>c << 2;
        let v: f32 = mode && !(load<f32>(a + at) > 0) ? <f32>0 : load<f32>(d + at);
        if (mode == 2) {
          store<f32>(sums + k, load<f32>(sums + k) + v * load<f32>(x + to));
          store<f32>(sums + (CP << 2) + k, load<f32>(sums + (CP << 2) + k) + v);
          v *= load<f32>(scale + k);
        }
        store<f32>(dx + to, v);
      }
    } else if (mode == 2) {
      for (let c: usize = 0; c < cs; c += 16) {
        let s = v128.load(sums + c), t = v128.load(sums + cs + c);
        const k = v128.load(scale + c);
        for (let o = c; o < row; o += cs) {
          const v = v128.and(v128.load(d + o), f32x4.gt(v128.load(a + o), z));
          s = fma(v, v128.load(x + o), s); t = add(t, v);
          v128.store(dx + o, mul(v, k));
        }
        v128.store(sums + c, s); v128.store(sums + cs + c, t);
      }
    } else if (mode == 1) {
      for (let o: usize = 0; o < row; o += 16) v128.store(dx + o, v128.and(v128.load(d + o), f32x4.gt(v128.load(a + o), z)));
    } else memory.copy(dx, d, row);
    x += row; dx += row; d += W * CP << 2; a += step;
  }
}

/** dx += k dy by channel over a dense image. */
export function addScaled(dx: usize, dy: usize, k: usize, pixels: i32, C: i32): void {
  const cs: usize = C << 2, pairs = cs & ~31;
  if (C & 3) {
    for (let p = 0; p < pixels; p++) for (let c: usize = 0; c < cs; c += 4) {
      const at = <usize>p * cs + c;
      store<f32>(dx + at, load<f32>(dx + at) + load<f32>(k + c) * load<f32>(dy + at));
    }
    return;
  }
  for (const end = dx + <usize>pixels * cs; dx < end; dx += cs, dy += cs) {
    for (let c: usize = 0; c < pairs; c += 32) {
      const k0 = v128.load(k + c), k1 = v128.load(k + c, 16), y0 = v128.load(dy + c), y1 = v128.load(dy + c, 16);
      const x0 = v128.load(dx + c), x1 = v128.load(dx + c, 16);
      store2(dx + c, fma(y0, k0, x0), fma(y1, k1, x1));
    }
    if (pairs < cs) v128.store(dx + pairs, fma(v128.load(dy + pairs), v128.load(k + pairs), v128.load(dx + pairs)));
  }
}

/** dx += the interior of a staged image of CP channels. */
export function addInterior(a: usize, dx: usize, H: i32, W: i32, C: i32, CP: i32, wide: i32): void {
  const row: usize = W * C << 2, step: usize = wide * CP << 2;
  for (let i = 0; i < H; i++) {
    if (C == CP) addTo(dx, a, W * C);
    else for (let j = 0; j < W; j++) for (let c = 0; c < C; c++) {
      const to = dx + (j * C + c << 2);
      store<f32>(to, load<f32>(to) + load<f32>(a + (j * CP + c << 2)));
    }
    dx += row; a += step;
  }
}

/**
 * Adds the statistics of n results a pixel, a multiple of 4: `st` holds sums of differences from a
 * pivot, `ss` = 4 n bytes behind their squares, and behind these the pivot. A pivot near the mean
 * keeps the variance exact where the mean is large or the values are few.
 */
export function addStatistics(y: usize, pixels: i32, n: i32, st: usize): void {
  const ss: usize = n << 2, all: usize = <usize>pixels * ss;
  for (let c: usize = 0; c < ss; c += 16) {
    const p = v128.load(st + 2 * ss + c);
    let s = v128.load(st + c), t = v128.load(st + ss + c);
    for (let o = c; o < all; o += ss) {
      const d = f32x4.sub(v128.load(y + o), p);
      s = add(s, d); t = fma(d, d, t);
    }
    v128.store(st + c, s); v128.store(st + ss + c, t);
  }
}

/** The mean of n results a pixel, a multiple of 4. */
export function meanOf(y: usize, mean: usize, pixels: i32, n: i32): void {
  const one: usize = n << 2, all: usize = <usize>pixels * one, inverse = f32x4.splat(<f32>1 / <f32>pixels);
  for (let c: usize = 0; c < one; c += 16) {
    let s = Z();
    for (let o = c; o < all; o += one) s = add(s, v128.load(y + o));
    v128.store(mean + c, mul(s, inverse));
  }
}
