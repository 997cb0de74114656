// Products of activations and 1x1 filters, forward and for both gradients, over whole tiles and what
// remains. K and M are multiples of 4; filters are packed in blocks of 8 results, the last one of 4.
import {
  pw6x2, pw6x1, pw4x2, pw4x1, pw2x2, pw2x1, pw1x2, pw1x1, outer4x2, outer4x1,
} from "./tiles.as";

/** Blocks of pixels that keep both operands of a filter gradient in the first-level cache. */
const OUTER_BLOCK: i32 = 128;

// Pixels are taken by 6, except that a rest of 2 behind a 6 is better taken as 4 + 4.
// @ts-ignore: decorator
@inline function nextRows(left: i32): i32 {
  if (left == 8 || left == 4 || left == 5) return 4;
  if (left >= 6) return 6;
  return left >= 2 ? 2 : 1;
}

/** y[p] = x[p] w at byte offsets tab[p] from y; with st, adds statistics as images.as.ts lays them out. */
export function pointwise(x: usize, ldx: usize, w: usize, P: i32, K: i32, M: i32, y: usize, tab: usize, st: usize, ss: usize): void {
  const step: usize = <usize>K << 5;
  while (P > 0) {
    const rows = nextRows(P);
    let wb = w, m = 0;
    for (; m + 8 <= M; m += 8) {
      const q = y + (m << 2), s = st ? st + (m << 2) : 0;
      if (rows == 6) pw6x2(x, ldx, wb, K, q, tab, s, ss);
      else if (rows == 4) pw4x2(x, ldx, wb, K, q, tab, s, ss);
      else if (rows == 2) pw2x2(x, ldx, wb, K, q, tab, s, ss);
      else pw1x2(x, ldx, wb, K, q, tab, s, ss);
      wb += step;
    }
    if (m < M) {
      const q = y + (m << 2), s = st ? st + (m << 2) : 0;
      if (rows == 6) pw6x1(x, ldx, wb, K, q, tab, s, ss);
      else if (rows == 4) pw4x1(x, ldx, wb, K, q, tab, s, ss);
      else if (rows == 2) pw2x1(x, ldx, wb, K, q, tab, s, ss);
      else pw1x1(x, ldx, wb, K, q, tab, s, ss);
    }
    x += <usize>rows * ldx; tab += rows << 2; P -= rows;
  }
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
