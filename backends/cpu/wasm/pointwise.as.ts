// Products of activations and 1x1 filters, forward and for both gradients, over whole tiles and what
// remains. K and M are multiples of 4; filters are packed in blocks of 8 results, the last one of 4.
import {
  pw4x2, pw4x1, pw2x2, pw2x1, pw1x2, pw1x1, outer4x2, outer4x1,
} from "./tiles.as";

/** Blocks of pixels that keep both operands of a filter gradient in the first-level cache. */
const OUTER_BLOCK: i32 = 128;

/** Pixels of a product that stay in the first-level cache while the results' channels go by. */
const POINTWISE_BLOCK: i32 = 64;

/** y[p] = x[p] w at byte offsets tab[p] from y; with st, adds statistics as images.as.ts lays them out. */
export function pointwise(x: usize, ldx: usize, w: usize, P: i32, K: i32, M: i32, y: usize, tab: usize, st: usize, ss: usize): void {
  const step: usize = <usize>K << 5;
  for (; P > 0; P -= POINTWISE_BLOCK) {
    const n = min(P, POINTWISE_BLOCK);
    let wb = w, m = 0;
    for (; m + 8 <= M; m += 8) { block(true, x, ldx, wb, K, n, y + (m << 2), tab, st ? st + (m << 2) : 0, ss); wb += step; }
    if (m < M) block(false, x, ldx, wb, K, n, y + (m << 2), tab, st ? st + (m << 2) : 0, ss);
    x += <usize>POINTWISE_BLOCK * ldx; tab += POINTWISE_BLOCK << 2;
  }
}

/** n pixels of 8 results each, or of 4. */
function block(eight: bool, x: usize, ldx: usize, w: usize, K: i32, n: i32, y: usize, tab: usize, st: usize, ss: usize): void {
  const whole = n & ~3, two = n & 2;
  if (eight) pw4x2(x, ldx, w, K, whole, y, tab, st, ss); else pw4x1(x, ldx, w, K, whole, y, tab, st, ss);
  x += <usize>whole * ldx; tab += whole << 2;
  if (two) {
    if (eight) pw2x2(x, ldx, w, K, 2, y, tab, st, ss); else pw2x1(x, ldx, w, K, 2, y, tab, st, ss);
    x += 2 * ldx; tab += 8;
  }
  if (n & 1) { if (eight) pw1x2(x, ldx, w, K, 1, y, tab, st, ss); else pw1x1(x, ldx, w, K, 1, y, tab, st, ss); }
}

/** w[K][M] += sum over pixels of d[p][K] g[p][M]; ldw bytes a row of w. */
export function outerSum(d: usize, ldd: usize, g: usize, ldg: usize, P: i32, K: i32, M: i32, w: usize, ldw: usize): void {
  for (let p = 0; p < P; p += OUTER_BLOCK) {
    const n = min(OUTER_BLOCK, P - p);
    const db = d + <usize>p * ldd, gb = g + <usize>p * ldg;
    for (let m = 0; m < M; m += 8) {
      const two = m + 8 <= M;
      for (let k = 0; k < K; k += 4) {
        const a = db + (k << 2), b = gb + (m << 2), c = w + <usize>k * ldw + (m << 2);
        if (two) outer4x2(a, ldd, b, ldg, n, c, ldw); else outer4x1(a, ldd, b, ldg, n, c, ldw);
      }
    }
  }
}

/** Packs w[K][M] (row stride M), or its transpose, zero-padded to KP rows and blocks of MP columns. */
export function packFilter(w: usize, packed: usize, K: i32, M: i32, transpose: i32): void {
  const rows = transpose ? M : K, columns = transpose ? K : M;
  const rowsP = (rows + 3) & ~3, columnsP = (columns + 3) & ~3;
  for (let m = 0; m < columnsP; m += 8) {
    const width = min(8, columnsP - m);
    for (let k = 0; k < rowsP; k++) {
      for (let c = 0; c < width; c++) {
        const inside = k < rows && m + c < columns;
        const at = transpose ? (m + c) * M + k : k * M + m + c;
        store<f32>(packed, inside ? load<f32>(w + (<usize>at << 2)) : 0);
        packed += 4;
      }
    }
  }
}
