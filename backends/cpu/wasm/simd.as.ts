// Vector helpers shared by all kernels. RELAXED comes from the compiler: fused multiply-add where the
// engine has relaxed SIMD, a product and a sum elsewhere. WIDE, from there too, chooses the tiles: see
// tiles.ts.
import { RELAXED } from "./config.as";

// @ts-ignore: decorator
@inline export function fma(a: v128, b: v128, c: v128): v128 {
  return RELAXED ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}
// @ts-ignore: decorator
@inline export function add(a: v128, b: v128): v128 { return f32x4.add(a, b); }
// @ts-ignore: decorator
@inline export function mul(a: v128, b: v128): v128 { return f32x4.mul(a, b); }
// @ts-ignore: decorator
@inline export function Z(): v128 { return f32x4.splat(0); }
// @ts-ignore: decorator
@inline export function relu(a: v128): v128 { return f32x4.pmax(f32x4.splat(0), a); }

/** Stores neighbouring vectors, the upper one first: so V8 joins the two. */
// @ts-ignore: decorator
@inline export function store2(at: usize, low: v128, high: v128): void {
  v128.store(at, high, 16); v128.store(at, low);
}

/** Adds n float32 sums, n a multiple of 4, to float64 ones, and clears them. */
export function flush(sums: usize, into: usize, n: i32): void {
  for (let i = 0; i < n; i += 4) {
    const a = v128.load(sums);
    v128.store(into, f64x2.add(v128.load(into), f64x2.promote_low_f32x4(a)));
    const b = v128.shuffle<f32>(a, a, 2, 3, 2, 3);
    v128.store(into, f64x2.add(v128.load(into, 16), f64x2.promote_low_f32x4(b)), 16);
    v128.store(sums, Z());
    sums += 16; into += 32;
  }
}
