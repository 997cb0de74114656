// The machine's roofs, to hold kernels against: multiply-adds in registers alone, and copying memory.
import { AddCall } from "./layouts.as";
import { fma } from "./simd.as";

/** Iterations of a part of the multiply-add roof, 12 vectors of 4 each. */
const ITERATIONS: i32 = 200000;

/** 12 independent sums in registers: ITERATIONS x 12 x 4 multiply-adds a part. */
export function multiplyAddRoof(args: usize, S: usize, part: i32): void {
  let a = f32x4.splat(<f32>part), b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
  const x = v128.load(S), y = v128.load(S, 16);
  for (let n = 0; n < ITERATIONS; n++) {
    a = fma(x, y, a); b = fma(x, y, b); c = fma(x, y, c); d = fma(x, y, d); e = fma(x, y, e); f = fma(x, y, f);
    g = fma(x, y, g); h = fma(x, y, h); i = fma(x, y, i); j = fma(x, y, j); k = fma(x, y, k); l = fma(x, y, l);
  }
  a = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  v128.store(S, f32x4.add(a, f32x4.add(f32x4.add(i, j), f32x4.add(k, l))), 32);
}

/** Copies a to out. */
export function copyRoof(args: usize, S: usize, part: i32): void {
  const c = changetype<AddCall>(args), n = c.elements / c.parts & ~15, first = <usize>(part * n) << 2;
  for (let o = first; o < first + (<usize>n << 2); o += 64) {
    v128.store(c.out + o, v128.load(c.a + o)); v128.store(c.out + o, v128.load(c.a + o, 16), 16);
    v128.store(c.out + o, v128.load(c.a + o, 32), 32); v128.store(c.out + o, v128.load(c.a + o, 48), 48);
  }
}
