// Dropout masks: Threefry-2x32 with 13 rounds, four blocks at a time, as `maskWord` of backends/random.ts.

const PARITY: u32 = 0x1bd11bda;

// @ts-ignore: decorator
@inline function turn(v: v128, n: i32): v128 { return v128.or(i32x4.shl(v, n), i32x4.shr_u(v, 32 - n)); }
// @ts-ignore: decorator
@inline function splat(v: u32): v128 { return i32x4.splat(<i32>v); }

/** Stores 4 vectors of all-ones lanes for the kept ones of 16 elements from `first`, a multiple of 16. */
export function keepVectors(key0: u32, key1: u32, counter: u32, first: u32, threshold: u32, to: usize): void {
  const key2 = PARITY ^ key0 ^ key1, a = splat(key0), b = splat(key1), c = splat(key2);
  let x = i32x4.add(i32x4.add(splat(first >> 2), i32x4(0, 1, 2, 3)), a), y = splat(counter + key1);
  x = i32x4.add(x, y); y = v128.xor(turn(y, 13), x);
  x = i32x4.add(x, y); y = v128.xor(turn(y, 15), x);
  x = i32x4.add(x, y); y = v128.xor(turn(y, 26), x);
  x = i32x4.add(x, y); y = v128.xor(turn(y, 6), x);
  x = i32x4.add(x, b); y = i32x4.add(y, splat(key2 + 1));
  x = i32x4.add(x, y); y = v128.xor(turn(y, 17), x);
  x = i32x4.add(x, y); y = v128.xor(turn(y, 29), x);
  x = i32x4.add(x, y); y = v128.xor(turn(y, 16), x);
  x = i32x4.add(x, y); y = v128.xor(turn(y, 24), x);
  x = i32x4.add(x, c); y = i32x4.add(y, splat(key0 + 2));
  x = i32x4.add(x, y); y = v128.xor(turn(y, 13), x);
  x = i32x4.add(x, y); y = v128.xor(turn(y, 15), x);
  x = i32x4.add(x, y); y = v128.xor(turn(y, 26), x);
  x = i32x4.add(x, y); y = v128.xor(turn(y, 6), x);
  x = i32x4.add(x, a); y = i32x4.add(y, splat(key1 + 3));
  x = i32x4.add(x, y); y = v128.xor(turn(y, 17), x);
  const low = i32x4.splat(0xffff), t = splat(threshold);
  v128.store(to, i32x4.ge_u(v128.and(x, low), t));
  v128.store(to, i32x4.ge_u(i32x4.shr_u(x, 16), t), 16);
  v128.store(to, i32x4.ge_u(v128.and(y, low), t), 32);
  v128.store(to, i32x4.ge_u(i32x4.shr_u(y, 16), t), 48);
}

/** Whether element e is kept: lane e % 4 of vector (e / 4) % 4 of its group. `work` holds 64 bytes. */
export function keeps(key0: u32, key1: u32, counter: u32, e: u32, threshold: u32, work: usize): bool {
  keepVectors(key0, key1, counter, e & ~15, threshold, work);
  return load<i32>(work + ((e & 15) << 2)) != 0;
}
