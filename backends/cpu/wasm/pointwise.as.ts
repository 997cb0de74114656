// Products of activations and 1x1 filters, forward and for both gradients, over whole tiles and what
// remains. K and M are multiples of 4; filters are packed in blocks of 16
// results (with WIDE), 8 and 4.
import {
  pw4x4, pw4x2, pw4x1, pw2x4, pw2x2, pw2x1, pw1x4, pw1x2, pw1x1, pw8x2, pw8x1, outer4x4, outer4x2, outer4x1,
  outer8x2, outer8x1, cv4x4, cv4x2, cv4x1, cv1x4, cv1x2, cv1x1, cv8x2, cv8x1,
} from "./tiles.as";
import { WIDE } from "./config.as";

/** Blocks of pixels that keep both operands of a filter gradient in the first-level cache. */
const OUTER_BLOCK: i32 = 128;

/** Pixels of a product that stay in the first-level cache while the results' channels go by. */
const POINTWISE_BLOCK: i32 = 64;

/** Columns of the next block of packed filters, `left` of them to go. */
// @ts-ignore: decorator
@inline function blockColumns(left: i32): i32 { return WIDE && left >= 16 ? 16 : left >= 8 ? 8 : 4; }

/**
 * y[p] = x[p] w at byte offsets tab[p] from y; with st, adds statistics as images.as.ts lays them out. x[p]
 * is `runs` runs of K values, the end of one and the next `gap` bytes apart.
 */
export function pointwise(x: usize, ldx: usize, w: usize, P: i32, K: i32, M: i32, y: usize, tab: usize, st: usize, ss: usize, runs: i32 = 1, gap: usize = 0): void {
  for (; P > 0; P -= POINTWISE_BLOCK) {
    const n = min(P, POINTWISE_BLOCK);
    let wb = w;
    for (let m = 0; m < M;) {
      const columns = blockColumns(M - m);
      const to = y + (m << 2), sums = st ? st + (m << 2) : 0;
      if (runs == 1) block(columns, x, ldx, wb, K, n, to, tab, sums, ss);
      else blockOfRuns(columns, x, ldx, wb, K, n, to, tab, sums, ss, runs, gap);
      wb += <usize>(runs * K * columns) << 2; m += columns;
    }
    x += <usize>POINTWISE_BLOCK * ldx; tab += POINTWISE_BLOCK << 2;
  }
}

/** n pixels of 16, 8 or 4 results each. */
function block(columns: i32, x: usize, ldx: usize, w: usize, K: i32, n: i32, y: usize, tab: usize, st: usize, ss: usize): void {
  if (WIDE && columns < 16) {
    const tall = n & ~7;
    if (columns == 8) pw8x2(x, ldx, w, K, tall, y, tab, st, ss); else pw8x1(x, ldx, w, K, tall, y, tab, st, ss);
    x += <usize>tall * ldx; tab += tall << 2; n -= tall;
  }
  const whole = n & ~3, two = n & 2;
  if (columns == 16) pw4x4(x, ldx, w, K, whole, y, tab, st, ss);
  else if (columns == 8) pw4x2(x, ldx, w, K, whole, y, tab, st, ss);
  else pw4x1(x, ldx, w, K, whole, y, tab, st, ss);
  x += <usize>whole * ldx; tab += whole << 2;
  if (two) {
    if (columns == 16) pw2x4(x, ldx, w, K, 2, y, tab, st, ss);
    else if (columns == 8) pw2x2(x, ldx, w, K, 2, y, tab, st, ss);
    else pw2x1(x, ldx, w, K, 2, y, tab, st, ss);
    x += 2 * ldx; tab += 8;
  }
  if (!(n & 1)) return;
  if (columns == 16) pw1x4(x, ldx, w, K, 1, y, tab, st, ss);
  else if (columns == 8) pw1x2(x, ldx, w, K, 1, y, tab, st, ss);
  else pw1x1(x, ldx, w, K, 1, y, tab, st, ss);
}

/** The same where each pixel is several runs of memory. */
function blockOfRuns(columns: i32, x: usize, ldx: usize, w: usize, K: i32, n: i32, y: usize, tab: usize, st: usize, ss: usize, runs: i32, gap: usize): void {
  if (WIDE && columns < 16) {
    const tall = n & ~7;
    if (columns == 8) cv8x2(x, ldx, w, K, tall, y, tab, st, ss, runs, gap); else cv8x1(x, ldx, w, K, tall, y, tab, st, ss, runs, gap);
    x += <usize>tall * ldx; tab += tall << 2; n -= tall;
  }
  const whole = n & ~3;
  if (columns == 16) cv4x4(x, ldx, w, K, whole, y, tab, st, ss, runs, gap);
  else if (columns == 8) cv4x2(x, ldx, w, K, whole, y, tab, st, ss, runs, gap);
  else cv4x1(x, ldx, w, K, whole, y, tab, st, ss, runs, gap);
  x += <usize>whole * ldx; tab += whole << 2; n -= whole;
  if (columns == 16) cv1x4(x, ldx, w, K, n, y, tab, st, ss, runs, gap);
  else if (columns == 8) cv1x2(x, ldx, w, K, n, y, tab, st, ss, runs, gap);
  else cv1x1(x, ldx, w, K, n, y, tab, st, ss, runs, gap);
}

/** w[K][M] += sum over pixels of d[p][K] g[p][M]; ldw bytes a row of w. */
export function outerSum(d: usize, ldd: usize, g: usize, ldg: usize, P: i32, K: i32, M: i32, w: usize, ldw: usize): void {
  for (let p = 0; p < P; p += OUTER_BLOCK) {
    const n = min(OUTER_BLOCK, P - p);
    const db = d + <usize>p * ldd, gb = g + <usize>p * ldg;
    for (let m = 0, columns = 0; m < M; m += columns) {
      columns = blockColumns(M - m);
      for (let k = 0, rows = 0; k < K; k += rows) {
        const a = db + (k << 2), b = gb + (m << 2), c = w + <usize>k * ldw + (m << 2);
        rows = WIDE && columns < 16 && K - k >= 8 ? 8 : 4;
        if (rows == 8) { if (columns == 8) outer8x2(a, ldd, b, ldg, n, c, ldw); else outer8x1(a, ldd, b, ldg, n, c, ldw); }
        else if (columns == 16) outer4x4(a, ldd, b, ldg, n, c, ldw);
        else if (columns == 8) outer4x2(a, ldd, b, ldg, n, c, ldw);
        else outer4x1(a, ldd, b, ldg, n, c, ldw);
      }
    }
  }
}

/** Packs w[K][M] (row stride M), or its transpose, zero-padded to KP rows and blocks of MP columns. */
export function packFilter(w: usize, packed: usize, K: i32, M: i32, transpose: i32): void {
  packTaps(w, packed, K, M, transpose != 0, 1, 1, 0, 0);
}

/**
 * The same of `rows` x `columns` matrices one behind the other in each block, that of a row and column
 * being `rowStep` and `columnStep` floats behind w for each.
 */
export function packTaps(w: usize, packed: usize, K: i32, M: i32, transpose: bool, rows: i32, columns: i32, rowStep: i32, columnStep: i32): void {
  const inner = transpose ? M : K, outer = transpose ? K : M, outerP = (outer + 3) & ~3;
  for (let m = 0, width = 0; m < outerP; m += width) {
    width = blockColumns(outerP - m);
    for (let r = 0; r < rows; r++) for (let s = 0; s < columns; s++) {
      const tap = w + (r * rowStep + s * columnStep << 2);
      for (let k = 0; k < (inner + 3 & ~3); k++, packed += width << 2) packRow(tap, packed, K, M, transpose, k, m, width);
    }
  }
}

/** Row k of a block of `width` columns from m on. */
function packRow(w: usize, packed: usize, K: i32, M: i32, transpose: bool, k: i32, m: i32, width: i32): void {
  if (!transpose && k < K && m + width <= M) {
    const from = w + (<usize>(k * M + m) << 2);
    for (let o: usize = 0; o < <usize>width << 2; o += 16) v128.store(packed + o, v128.load(from + o));
    return;
  }
  const inner = transpose ? M : K, outer = transpose ? K : M;
  for (let c = m; c < m + width; c++, packed += 4) {
    const at = transpose ? c * M + k : k * M + c;
    store<f32>(packed, k < inner && c < outer ? load<f32>(w + (<usize>at << 2)) : 0);
  }
}
