// Products of activations and 1x1 filters, forward and for both gradients, over whole tiles and what
// remains. K and M are multiples of 4; filters are packed in blocks of 16
// results (with WIDE), 8 and 4.
import {
  pw4x4, pw4x2, pw4x1, pw2x4, pw2x2, pw2x1, pw1x4, pw1x2, pw1x1, pw8x2, pw8x1, outer4x4, outer4x2, outer4x1,
  outer8x2, outer8x1,
} from "./tiles.as";
import { WIDE } from "./config.as";

/** Blocks of pixels that keep both operands of a filter gradient in the first-level cache. */
const OUTER_BLOCK: i32 = 128;

/** Pixels of a product that stay in the first-level cache while the results' channels go by. */
const POINTWISE_BLOCK: i32 = 64;

/** Columns of the next block of packed filters, `left` of them to go. */
// @ts-ignore: decorator
@inline function blockColumns(left: i32): i32 { return WIDE && left >= 16 ? 16 : left >= 8 ? 8 : 4; }

/** y[p] = x[p] w at byte offsets tab[p] from y; with st, adds statistics as images.as.ts lays them out. */
export function pointwise(x: usize, ldx: usize, w: usize, P: i32, K: i32, M: i32, y: usize, tab: usize, st: usize, ss: usize): void {
  for (; P > 0; P -= POINTWISE_BLOCK) {
    const n = min(P, POINTWISE_BLOCK);
    let wb = w;
    for (let m = 0; m < M;) {
      const columns = blockColumns(M - m);
      block(columns, x, ldx, wb, K, n, y + (m << 2), tab, st ? st + (m << 2) : 0, ss);
      wb += <usize>(K * columns) << 2; m += columns;
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
  const rows = transpose ? M : K, columns = transpose ? K : M;
  const rowsP = (rows + 3) & ~3, columnsP = (columns + 3) & ~3;
  for (let m = 0, width = 0; m < columnsP; m += width) {
    width = blockColumns(columnsP - m);
    for (let k = 0; k < rowsP; k++) {
      if (!transpose && k < K && m + width <= M) {
        const from = w + (<usize>(k * M + m) << 2);
        for (let o: usize = 0; o < <usize>width << 2; o += 16) v128.store(packed + o, v128.load(from + o));
        packed += width << 2;
        continue;
      }
      for (let c = 0; c < width; c++) {
        const inside = k < rows && m + c < columns;
        const at = transpose ? (m + c) * M + k : k * M + m + c;
        store<f32>(packed, inside ? load<f32>(w + (<usize>at << 2)) : 0);
        packed += 4;
      }
    }
  }
}
