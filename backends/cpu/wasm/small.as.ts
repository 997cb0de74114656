// Kernels that are small beside the rest of a step: global average pool, optimisers, joining channels,
// and the ordered sums of partial results.
import { JoinCall, PoolCall } from "./layouts.as";
import { add, fma, mul, Z } from "./simd.as";

/** y[n][c] = mean of x[n][:][c]. */
export function globalAverageForward(args: usize, S: usize, part: i32): void {
  const c = changetype<PoolCall>(args), C = c.channels, inverse: f32 = 1 / <f32>c.pixels;
  for (let n = part * c.images / c.parts; n < (part + 1) * c.images / c.parts; n++) {
    const x = c.x + (<usize>(n * c.pixels * C) << 2), y = c.y + (<usize>(n * C) << 2);
    let i = 0;
    for (; i + 4 <= C; i += 4) {
      let s = Z(), p = x + (i << 2);
      for (let j = 0; j < c.pixels; j++) { s = add(s, v128.load(p)); p += C << 2; }
      v128.store(y + (i << 2), mul(s, f32x4.splat(inverse)));
    }
    for (; i < C; i++) {
      let s: f32 = 0, p = x + (i << 2);
      for (let j = 0; j < c.pixels; j++) { s += load<f32>(p); p += C << 2; }
      store<f32>(y + (i << 2), s * inverse);
    }
  }
}

/** x[n][p][c] = y[n][c] / pixels, where y is the gradient. */
export function globalAverageBackward(args: usize, S: usize, part: i32): void {
  const c = changetype<PoolCall>(args), C = c.channels, inverse: f32 = 1 / <f32>c.pixels;
  for (let n = part * c.images / c.parts; n < (part + 1) * c.images / c.parts; n++) {
    const x = c.x + (<usize>(n * c.pixels * C) << 2), y = c.y + (<usize>(n * C) << 2);
    for (let i = 0; i < C; i++) store<f32>(x + (i << 2), load<f32>(y + (i << 2)) * inverse);
    for (let j = 1; j < c.pixels; j++) memory.copy(x + (<usize>(j * C) << 2), x, C << 2);
  }
}

/** Sum of squares of n floats, in float64. */
export function sumSquares(x: usize, n: i32): f64 {
  let total: f64 = 0, i = 0;
  while (i + 4 <= n) {
    let s = Z();
    for (const end = min(n - 3, i + 1024); i < end; i += 4) { const v = v128.load(x + (<usize>i << 2)); s = fma(v, v, s); }
    total += <f64>f32x4.extract_lane(s, 0) + <f64>f32x4.extract_lane(s, 1) + <f64>f32x4.extract_lane(s, 2) + <f64>f32x4.extract_lane(s, 3);
  }
  for (; i < n; i++) { const v = <f64>load<f32>(x + (<usize>i << 2)); total += v * v; }
  return total;
}

/** m' = momentum m + clip g + decay p; p' = p - rate m'. */
export function sgdStep(p: usize, g: usize, m: usize, pOut: usize, mOut: usize, n: i32, clip: f32, decay: f32, momentum: f32, rate: f32): void {
  const a = f32x4.splat(clip), b = f32x4.splat(decay), c = f32x4.splat(momentum), r = f32x4.splat(rate);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const o = <usize>i << 2, v = v128.load(p + o);
    const next = add(mul(v128.load(m + o), c), add(mul(v128.load(g + o), a), mul(v, b)));
    v128.store(mOut + o, next);
    v128.store(pOut + o, f32x4.sub(v, mul(next, r)));
  }
  for (; i < n; i++) {
    const o = <usize>i << 2, v = load<f32>(p + o);
    const next: f32 = load<f32>(m + o) * momentum + (load<f32>(g + o) * clip + v * decay);
    store<f32>(mOut + o, next);
    store<f32>(pOut + o, v - next * rate);
  }
}

/**
 * m' and v' as Adam; p' = p - rate m' / (sqrt(v') root + epsilon), corrections folded into rate and
 * root; rest = 1 - beta, rounded once.
 */
export function adamStep(p: usize, g: usize, m: usize, v: usize, pOut: usize, mOut: usize, vOut: usize, n: i32, clip: f32, decay: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, rate: f32, root: f32, epsilon: f32): void {
  for (let i = 0; i < n; i++) {
    const o = <usize>i << 2, value = load<f32>(p + o), gradient = load<f32>(g + o) * clip + value * decay;
    const first = beta1 * load<f32>(m + o) + rest1 * gradient;
    const second = beta2 * load<f32>(v + o) + rest2 * gradient * gradient;
    store<f32>(mOut + o, first);
    store<f32>(vOut + o, second);
    store<f32>(pOut + o, value - rate * first / (Mathf.sqrt(second) * root + epsilon));
  }
}

/** to[i] = sum over parts, in order, of from[part][i]; n floats, `step` bytes a part. */
export function addParts(from: usize, to: usize, n: i32, parts: i32, step: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    let p = from + (<usize>i << 2), s = v128.load(p);
    for (let k = 1; k < parts; k++) { p += step; s = add(s, v128.load(p)); }
    v128.store(to + (<usize>i << 2), s);
  }
  for (; i < n; i++) {
    let p = from + (<usize>i << 2), s = load<f32>(p);
    for (let k = 1; k < parts; k++) { p += step; s += load<f32>(p); }
    store<f32>(to + (<usize>i << 2), s);
  }
}

/** y = k x by channel over n pixels of C channels; with more, adds to y. */
export function scaleChannels(x: usize, y: usize, k: usize, n: i32, C: i32, more: i32): void {
  for (let p = 0; p < n; p++) {
    let c = 0;
    for (; c + 4 <= C; c += 4) {
      const o = c << 2, v = mul(v128.load(x + o), v128.load(k + o));
      v128.store(y + o, more ? add(v128.load(y + o), v) : v);
    }
    for (; c < C; c++) {
      const o = c << 2, v = load<f32>(x + o) * load<f32>(k + o);
      store<f32>(y + o, more ? load<f32>(y + o) + v : v);
    }
    x += C << 2; y += C << 2;
  }
}

// @ts-ignore: decorator
@inline function copyRow(to: usize, from: usize, bytes: i32): void {
  if (bytes & 15) { memory.copy(to, from, bytes); return; }
  for (let o = 0; o < bytes; o += 16) v128.store(to + o, v128.load(from + o));
}

/** Rows joined at a time: while all pieces of some rows go by, their lines stay in the first-level cache. */
const JOIN_ROWS: i32 = 16;

/** Rows of the pieces, side by side, to rows of the whole; or back. */
export function joinRows(args: usize, S: usize, part: i32): void {
  const c = changetype<JoinCall>(args), last = <i32>(<i64>(part + 1) * c.rows / c.parts);
  for (let row = <i32>(<i64>part * c.rows / c.parts); row < last; row += JOIN_ROWS) joinBlock(c, row, min(JOIN_ROWS, last - row));
}

function joinBlock(c: JoinCall, first: i32, rows: i32): void {
  let column = c.whole + <usize>first * c.wholeBytes;
  for (let k = 0; k < c.count; k++) {
    const bytes = load<i32>(c.rowBytes + (k << 2));
    let p = <usize>load<u32>(c.pieces + (k << 2)) + <usize>first * bytes, q = column;
    for (let row = 0; row < rows; row++) {
      if (c.split) copyRow(p, q, bytes); else copyRow(q, p, bytes);
      p += bytes; q += c.wholeBytes;
    }
    column += bytes;
  }
}
