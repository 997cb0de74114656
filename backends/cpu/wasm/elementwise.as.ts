// Element-wise operations on float32 tensors of one shape, with the NaNs and zeros of tfjs-backend-cpu.
import { ElementwiseCall } from "./layouts.as";
import { Z } from "./simd.as";

const ADD: i32 = 0;
const MULTIPLY: i32 = 1;
const RELU: i32 = 2;
const STEP: i32 = 3;

// @ts-ignore: decorator
@inline function apply(op: i32, a: v128, b: v128): v128 {
  if (op == ADD) return f32x4.add(a, b);
  if (op == MULTIPLY) return f32x4.mul(a, b);
  if (op == RELU) return f32x4.max(a, Z());
  const one = v128.and(f32x4.gt(a, Z()), f32x4.splat(1));
  return v128.or(one, v128.and(f32x4.ne(a, a), a));
}

/** Whole vectors of a part; the last part also takes the elements behind them. */
// @ts-ignore: decorator
@inline function run(op: i32, args: usize, part: i32): void {
  const c = changetype<ElementwiseCall>(args), vectors = c.elements >> 2, two = op <= MULTIPLY;
  const from = <usize>(<i64>part * vectors / c.parts) << 4, to = <usize>(<i64>(part + 1) * vectors / c.parts) << 4;
  for (let o = from; o < to; o += 16) v128.store(c.out + o, apply(op, v128.load(c.a + o), two ? v128.load(c.b + o) : Z()));
  if (part < c.parts - 1) return;
  for (let o = <usize>vectors << 4; o < <usize>c.elements << 2; o += 4) {
    const v = apply(op, v128.load32_splat(c.a + o), two ? v128.load32_splat(c.b + o) : Z());
    store<f32>(c.out + o, f32x4.extract_lane(v, 0));
  }
}

/** out = a + b. */
export function addTensors(args: usize, S: usize, part: i32): void { run(ADD, args, part); }
/** out = a b. */
export function multiplyTensors(args: usize, S: usize, part: i32): void { run(MULTIPLY, args, part); }
/** out = max(a, 0). */
export function reluTensor(args: usize, S: usize, part: i32): void { run(RELU, args, part); }
/** out = 1 where a > 0, else 0. */
export function stepTensor(args: usize, S: usize, part: i32): void { run(STEP, args, part); }
