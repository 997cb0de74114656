// The machine's roofs, to hold kernels against: multiply-adds in registers alone, and copying memory.
import { ElementwiseCall } from "./layouts.as";
import { fma, store2 } from "./simd.as";
import { WIDE } from "./config.as";

/** Multiply-adds of a part, in vectors of 4. */
const VECTORS: i32 = 2400000;

/**
 * Independent sums in registers: 8 pairs of vectors with WIDE, which an engine that joins pairs keeps
 * in 8 registers, 12 vectors without.
 */
export function multiplyAddRoof(args: usize, S: usize, part: i32): void {
  const z = f32x4.splat(<f32>part), x0 = v128.load(S), x1 = v128.load(S, 16), y0 = v128.load(S, 32), y1 = v128.load(S, 48);
  let a0 = z, a1 = z, b0 = z, b1 = z, c0 = z, c1 = z, d0 = z, d1 = z;
  let e0 = z, e1 = z, f0 = z, f1 = z, g0 = z, g1 = z, h0 = z, h1 = z;
  if (WIDE) {
    for (let n = 0; n < VECTORS; n += 16) {
      a0 = fma(x0, y0, a0); a1 = fma(x1, y1, a1); b0 = fma(x0, y0, b0); b1 = fma(x1, y1, b1);
      c0 = fma(x0, y0, c0); c1 = fma(x1, y1, c1); d0 = fma(x0, y0, d0); d1 = fma(x1, y1, d1);
      e0 = fma(x0, y0, e0); e1 = fma(x1, y1, e1); f0 = fma(x0, y0, f0); f1 = fma(x1, y1, f1);
      g0 = fma(x0, y0, g0); g1 = fma(x1, y1, g1); h0 = fma(x0, y0, h0); h1 = fma(x1, y1, h1);
    }
  } else {
    for (let n = 0; n < VECTORS; n += 12) {
      a0 = fma(x0, y0, a0); a1 = fma(x0, y0, a1); b0 = fma(x0, y0, b0); b1 = fma(x0, y0, b1);
      c0 = fma(x0, y0, c0); c1 = fma(x0, y0, c1); d0 = fma(x0, y0, d0); d1 = fma(x0, y0, d1);
      e0 = fma(x0, y0, e0); e1 = fma(x0, y0, e1); f0 = fma(x0, y0, f0); f1 = fma(x0, y0, f1);
    }
  }
  store2(S, a0, a1); store2(S + 32, b0, b1); store2(S + 64, c0, c1); store2(S + 96, d0, d1);
  store2(S + 128, e0, e1); store2(S + 160, f0, f1); store2(S + 192, g0, g1); store2(S + 224, h0, h1);
}

/** Copies a to out. */
export function copyRoof(args: usize, S: usize, part: i32): void {
  const c = changetype<ElementwiseCall>(args), n = c.elements / c.parts & ~15, first = <usize>(part * n) << 2;
  for (let o = first; o < first + (<usize>n << 2); o += 64) {
    const p = c.a + o, x = v128.load(p), y = v128.load(p, 16), z = v128.load(p, 32), w = v128.load(p, 48);
    store2(c.out + o + 32, z, w); store2(c.out + o, x, y);
  }
}
