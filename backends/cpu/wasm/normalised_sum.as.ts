// The normalised-sum kernels: a block of the sum stays in the first-level cache while the terms stream
// by; backward, a block of the gradient does, and each term is read once for its dot products.
import { SumCall, TermRecord } from "./layouts.as";
import { add, flush, fma, mul, store2, Z } from "./simd.as";
import { keepVectors, keeps } from "./mask.as";

/** Elements of a block: 8 KB. */
const BLOCK: i32 = 2048;
/** Bytes of a mask for 16 elements. */
const MASK_BYTES: usize = 64;

// @ts-ignore: decorator
@inline function term(c: SumCall, index: i32): TermRecord {
  return changetype<TermRecord>(c.records + <usize>index * offsetof<TermRecord>());
}
// @ts-ignore: decorator
@inline function row(table: usize, index: i32, period: i32): usize { return table + (index * period << 2); }

/** Brings n floats, a multiple of 16, into the first-level cache in the order of memory, which columns do not go by. */
function touch(p: usize, n: i32, work: usize): void {
  let v = Z();
  for (const end = p + (n << 2); p < end; p += 64) v = v128.or(v, v128.load(p));
  v128.store(work, v);
}

/** o = p s + q t + init by channel, or added to o without init; n floats, cs bytes a period, in the order of memory. */
function sumTwo(o: usize, p: usize, q: usize, s: usize, t: usize, init: usize, n: i32, cs: usize): void {
  for (const end = o + (n << 2); o < end; o += cs, p += cs, q += cs) {
    const from = init ? init : o;
    for (let c: usize = 0; c < cs; c += 32) {
      const a0 = v128.load(s + c), a1 = v128.load(s + c, 16), b0 = v128.load(t + c), b1 = v128.load(t + c, 16);
      const p0 = v128.load(p + c), p1 = v128.load(p + c, 16), q0 = v128.load(q + c), q1 = v128.load(q + c, 16);
      const k0 = v128.load(from + c), k1 = v128.load(from + c, 16);
      store2(o + c, fma(q0, b0, fma(p0, a0, k0)), fma(q1, b1, fma(p1, a1, k1)));
    }
  }
}

/** o = p s + init, or added to o without init. */
function sumOne(o: usize, p: usize, s: usize, init: usize, n: i32, cs: usize): void {
  for (const end = o + (n << 2); o < end; o += cs, p += cs) {
    const from = init ? init : o;
    for (let c: usize = 0; c < cs; c += 32) {
      const a0 = v128.load(s + c), a1 = v128.load(s + c, 16), p0 = v128.load(p + c), p1 = v128.load(p + c, 16);
      const k0 = v128.load(from + c), k1 = v128.load(from + c, 16);
      store2(o + c, fma(p0, a0, k0), fma(p1, a1, k1));
    }
  }
}

function fill(o: usize, init: usize, n: i32, cs: usize): void {
  for (let i: usize = 0; i < <usize>n << 2; i += cs) memory.copy(o + i, init, cs);
}

/** The terms without a mask, with these scales and constants. */
function sumBlock(c: SumCall, at: usize, n: i32, scales: usize, constants: usize): void {
  const cs: usize = c.period << 2, o = c.out + at;
  let init = constants, k = 0;
  for (; k + 2 <= c.unmasked; k += 2) {
    const p = term(c, k).x + at, q = term(c, k + 1).x + at, s = row(scales, k, c.period), t = row(scales, k + 1, c.period);
    sumTwo(o, p, q, s, t, init, n, cs);
    init = 0;
  }
  if (k < c.unmasked) { sumOne(o, term(c, k).x + at, row(scales, k, c.period), init, n, cs); init = 0; }
  if (init) fill(o, init, n, cs);
}

/** The factor of element e of a masked term: mask over keep probability, times the sample's weight. */
// @ts-ignore: decorator
@inline function factorOf(t: TermRecord, e: u32, weight: f32, work: usize): f32 {
  return keeps(t.key0, t.key1, t.counter, e, t.threshold, work) ? weight * t.keepScale : 0;
}

// @ts-ignore: decorator
@inline function sampleWeight(t: TermRecord, n: i32): f32 {
  return t.sampleWeights ? load<f32>(t.sampleWeights + (n << 2)) : 1;
}

/** Rows of n floats times a factor, added to `to` with more. */
function scaleRow(from: usize, to: usize, n: i32, factor: f32, more: bool): void {
  const f = f32x4.splat(factor);
  for (let i: usize = 0; i < <usize>n << 2; i += 16) {
    const v = mul(v128.load(from + i), f);
    v128.store(to + i, more ? add(v128.load(to + i), v) : v);
  }
}

/** The scales of image n's unmasked terms, `[unmasked, period]`: its weights are in those of the weighted ones. */
function imageScales(c: SumCall, n: i32, to: usize): void {
  for (let k = 0; k < c.unmasked; k++) scaleRow(row(c.scales, k, c.period), row(to, k, c.period), c.period, sampleWeight(term(c, k), n), false);
}

/** The constants of image n, `[period]`. */
function imageConstants(c: SumCall, n: i32, to: usize): void {
  scaleRow(c.constants, to, c.period, 1, false);
  for (let k = c.plain; k < c.unmasked; k++) scaleRow(row(c.shifts, k, c.period), to, c.period, sampleWeight(term(c, k), n), true);
}

function maskedForward(c: SumCall, k: i32, n: i32, keep: usize): void {
  const t = term(c, k), first = n * c.elements, s = row(c.scales, k, c.period), b = row(c.shifts, k, c.period);
  const weight = sampleWeight(t, n), p = t.x + (<usize>first << 2), o = c.out + (<usize>first << 2);
  let e = 0;
  if ((c.elements & 15) == 0) {
    let j: usize = 0;
    const f = f32x4.splat(weight * t.keepScale), end: usize = c.period << 2;
    for (; e < c.elements; e += 16) {
      keepVectors(t.key0, t.key1, t.counter, <u32>(first + e), t.threshold, keep);
      for (let q: usize = 0; q < 64; q += 16) {
        const i = (<usize>e << 2) + q;
        const v = mul(fma(v128.load(p + i), v128.load(s + j), v128.load(b + j)), f);
        v128.store(o + i, add(v128.load(o + i), v128.and(v, v128.load(keep + q))));
        j += 16; if (j == end) j = 0;
      }
    }
  }
  for (; e < c.elements; e++) {
    const i: usize = e << 2, j: usize = (e % c.period) << 2;
    store<f32>(o + i, load<f32>(o + i) + factorOf(t, first + e, weight, keep) * (load<f32>(p + i) * load<f32>(s + j) + load<f32>(b + j)));
  }
}

/** Scratch: a mask, then an image's scales and constants. */
export function normalisedSumForward(args: usize, S: usize, part: i32): void {
  const c = changetype<SumCall>(args), L = c.period, whole = c.elements / L * L;
  const block = max(1, BLOCK / L) * L, scales = S + MASK_BYTES, constants = row(scales, c.unmasked, L);
  for (let n = part * c.images / c.parts; n < (part + 1) * c.images / c.parts; n++) {
    const base = n * c.elements;
    imageScales(c, n, scales);
    imageConstants(c, n, constants);
    for (let e = 0; e < whole; e += block) sumBlock(c, <usize>(base + e) << 2, min(block, whole - e), scales, constants);
    for (let e = whole; e < c.elements; e++) {
      const at = <usize>(base + e) << 2, j = <usize>(e - whole) << 2;
      let v = load<f32>(constants + j);
      for (let k = 0; k < c.unmasked; k++) v += load<f32>(term(c, k).x + at) * load<f32>(row(scales, k, L) + j);
      store<f32>(c.out + at, v);
    }
    for (let k = c.unmasked; k < c.terms; k++) maskedForward(c, k, n, S);
  }
}

/** sums += d x by channel (or d alone without x), through the first-level cache. */
function dot(d: usize, x: usize, sums: usize, n: i32, cs: usize): void {
  const all: usize = n << 2;
  for (let c: usize = 0; c < cs; c += 64) {
    let a0 = v128.load(sums + c), a1 = v128.load(sums + c, 16), a2 = v128.load(sums + c, 32), a3 = v128.load(sums + c, 48);
    if (x) for (let i = c; i < all; i += cs) {
      a0 = fma(v128.load(d + i), v128.load(x + i), a0); a1 = fma(v128.load(d + i, 16), v128.load(x + i, 16), a1);
      a2 = fma(v128.load(d + i, 32), v128.load(x + i, 32), a2); a3 = fma(v128.load(d + i, 48), v128.load(x + i, 48), a3);
    } else for (let i = c; i < all; i += cs) {
      a0 = add(v128.load(d + i), a0); a1 = add(v128.load(d + i, 16), a1);
      a2 = add(v128.load(d + i, 32), a2); a3 = add(v128.load(d + i, 48), a3);
    }
    store2(sums + c + 32, a2, a3); store2(sums + c, a0, a1);
  }
}

/** The dot products of d with x and y at once. */
function dotTwo(d: usize, x: usize, y: usize, ofX: usize, ofY: usize, n: i32, cs: usize): void {
  const all: usize = n << 2;
  for (let c: usize = 0; c < cs; c += 64) {
    const s = ofX + c, t = ofY + c;
    let a0 = v128.load(s), a1 = v128.load(s, 16), a2 = v128.load(s, 32), a3 = v128.load(s, 48);
    let b0 = v128.load(t), b1 = v128.load(t, 16), b2 = v128.load(t, 32), b3 = v128.load(t, 48);
    for (let i = c; i < all; i += cs) {
      const e = d + i, p = x + i, q = y + i;
      let g = v128.load(e); a0 = fma(g, v128.load(p), a0); b0 = fma(g, v128.load(q), b0);
      g = v128.load(e, 16); a1 = fma(g, v128.load(p, 16), a1); b1 = fma(g, v128.load(q, 16), b1);
      g = v128.load(e, 32); a2 = fma(g, v128.load(p, 32), a2); b2 = fma(g, v128.load(q, 32), b2);
      g = v128.load(e, 48); a3 = fma(g, v128.load(p, 48), a3); b3 = fma(g, v128.load(q, 48), b3);
    }
    store2(s + 32, a2, a3); store2(s, a0, a1);
    store2(t + 32, b2, b3); store2(t, b0, b1);
  }
}

/** o = p s by channel. */
function scaleTo(o: usize, p: usize, s: usize, n: i32, cs: usize): void {
  for (const end = o + (n << 2); o < end; o += cs, p += cs) {
    for (let c: usize = 0; c < cs; c += 32) {
      const a0 = v128.load(s + c), a1 = v128.load(s + c, 16), p0 = v128.load(p + c), p1 = v128.load(p + c, 16);
      store2(o + c, mul(p0, a0), mul(p1, a1));
    }
  }
}

function maskedBackward(c: SumCall, k: i32, n: i32, ofX: usize, ofShift: usize, keep: usize): void {
  const t = term(c, k), first = n * c.elements, s = row(c.scales, k, c.period), end: usize = c.period << 2;
  const weight = sampleWeight(t, n), at = <usize>first << 2, p = t.x + at, g = c.dy + at, dx = t.dx + at;
  let e = 0;
  if ((c.elements & 15) == 0) {
    let j: usize = 0;
    const f = f32x4.splat(weight * t.keepScale);
    for (; e < c.elements; e += 16) {
      keepVectors(t.key0, t.key1, t.counter, <u32>(first + e), t.threshold, keep);
      for (let q: usize = 0; q < 64; q += 16) {
        const i = (<usize>e << 2) + q;
        const d = v128.and(mul(v128.load(g + i), f), v128.load(keep + q));
        v128.store(dx + i, mul(d, v128.load(s + j)));
        v128.store(ofX + j, fma(d, v128.load(p + i), v128.load(ofX + j)));
        v128.store(ofShift + j, add(d, v128.load(ofShift + j)));
        j += 16; if (j == end) j = 0;
      }
    }
  }
  for (; e < c.elements; e++) {
    const i: usize = e << 2, j: usize = (e % c.period) << 2, d = load<f32>(g + i) * factorOf(t, first + e, weight, keep);
    store<f32>(dx + i, d * load<f32>(s + j));
    store<f32>(ofX + j, load<f32>(ofX + j) + d * load<f32>(p + i));
    store<f32>(ofShift + j, load<f32>(ofShift + j) + d);
  }
}

/** Scratch: a mask, an image's scales, and float32 sums in the layout of the partial ones, added to them after every image. */
export function normalisedSumBackward(args: usize, S: usize, part: i32): void {
  const c = changetype<SumCall>(args), L = c.period, cs: usize = L << 2, whole = c.elements / L * L;
  const block = max(1, BLOCK / L) * L, partial = c.partials + <usize>(part * c.partialBytes);
  const rows = c.terms + 1 + c.terms - c.plain, scales = S + MASK_BYTES, sums = row(scales, c.unmasked, L);
  memory.fill(partial, 0, c.partialBytes);
  memory.fill(sums, 0, <usize>(rows * L) << 2);
  const ofDy = row(sums, c.terms, L);
  for (let n = part * c.images / c.parts; n < (part + 1) * c.images / c.parts; n++) {
    const base = n * c.elements;
    imageScales(c, n, scales);
    for (let e = 0; e < whole; e += block) {
      const at = <usize>(base + e) << 2, m = min(block, whole - e), d = c.dy + at;
      let k = 0;
      touch(d, m, S);
      for (; k < c.unmasked; k++) touch(term(c, k).x + at, m, S);
      for (k = 0; k + 2 <= c.unmasked; k += 2) dotTwo(d, term(c, k).x + at, term(c, k + 1).x + at, row(sums, k, L), row(sums, k + 1, L), m, cs);
      if (k < c.unmasked) dot(d, term(c, k).x + at, row(sums, k, L), m, cs);
      dot(d, 0, ofDy, m, cs);
      for (k = c.plain; k < c.unmasked; k++) scaleTo(term(c, k).dx + at, d, row(scales, k, L), m, cs);
    }
    for (let e = whole; e < c.elements; e++) {
      const at = <usize>(base + e) << 2, j = <usize>(e - whole) << 2, d = load<f32>(c.dy + at);
      for (let k = 0; k < c.unmasked; k++) { const q = row(sums, k, L) + j; store<f32>(q, load<f32>(q) + d * load<f32>(term(c, k).x + at)); }
      for (let k = c.plain; k < c.unmasked; k++) store<f32>(term(c, k).dx + at, d * load<f32>(row(scales, k, L) + j));
      store<f32>(ofDy + j, load<f32>(ofDy + j) + d);
    }
    for (let k = c.plain; k < c.terms; k++) {
      const ofX = row(sums, k, L), ofShift = row(sums, c.terms + 1 + k - c.plain, L);
      if (k >= c.unmasked) { maskedBackward(c, k, n, ofX, ofShift, S); continue; }
      const weight = sampleWeight(term(c, k), n);
      scaleRow(ofX, ofX, L, weight, false);
      scaleRow(ofDy, ofShift, L, weight, false);
    }
    flush(sums, partial, rows * L);
  }
  for (let k = 0; k < rows; k++) fold(partial + (<usize>(k * L) << 3), c.channels, L);
}

/** Adds the sums of a period's later pixels to those of its first. */
function fold(sums: usize, channels: i32, period: i32): void {
  for (let j = channels, at = sums; j < period; j++, at += 8) {
    if (j % channels == 0) at = sums;
    store<f64>(at, load<f64>(at) + load<f64>(sums + (j << 3)));
  }
}
