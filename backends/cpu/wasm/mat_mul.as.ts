// Matrix products of a batch: blocks of rows times a right side packed as a pointwise filter.
import { MAT_MUL_ROWS, MatMulCall } from "./layouts.as";
import { clearTo, compact } from "./images.as";
import { packFilter, pointwise } from "./pointwise.as";

/** Rows first to first + n of the left side to `to`, `[n, innerP]`, behind each row zeros. */
function packRows(c: MatMulCall, a: usize, to: usize, first: i32, n: i32): void {
  const K = c.inner, row: usize = (K + 3 & ~3) << 2;
  for (let p = 0; p < n; p++, to += row) {
    if (!c.transposeA) memory.copy(to, a + (<usize>((first + p) * K) << 2), K << 2);
    else for (let k = 0; k < K; k++) store<f32>(to + (k << 2), load<f32>(a + (<usize>(k * c.rows + first + p) << 2)));
    clearTo(to + (K << 2), to + row);
  }
}

/** out[item] = a[item] b[item]. Scratch: a block of rows, the packed right side, and a block of results and its offsets. */
export function matMul(args: usize, S: usize, part: i32): void {
  const c = changetype<MatMulCall>(args), K = c.inner, N = c.columns, KP = K + 3 & ~3, NP = N + 3 & ~3;
  const right = S + (<usize>(MAT_MUL_ROWS * KP) << 2), result = right + (<usize>(KP * NP) << 2), table = result + (<usize>(MAT_MUL_ROWS * NP) << 2);
  for (let p = 0; p < MAT_MUL_ROWS; p++) store<u32>(table + (p << 2), p * NP << 2);
  const copies = c.transposeA != 0 || K != KP, blocks = (c.rows + MAT_MUL_ROWS - 1) / MAT_MUL_ROWS, jobs = c.batch * blocks;
  let left: usize = 0, packed: usize = 0;
  for (let job = <i32>(<i64>part * jobs / c.parts); job < <i32>(<i64>(part + 1) * jobs / c.parts); job++) {
    const item = job / blocks, first = job % blocks * MAT_MUL_ROWS, n = min(MAT_MUL_ROWS, c.rows - first);
    const a = c.a + (<usize>(item * c.aStep) << 2), b = c.b + (<usize>(item * c.bStep) << 2), block = a + (<usize>first << 2);
    if (packed != b) { packFilter(b, right, c.transposeB ? N : K, c.transposeB ? K : N, c.transposeB); packed = b; }
    if (copies && left != block) { packRows(c, a, S, first, n); left = block; }
    const from = copies ? S : a + (<usize>(first * K) << 2), out = c.out + (<usize>((item * c.rows + first) * N) << 2);
    pointwise(from, KP << 2, right, n, KP, NP, N == NP ? out : result, table, 0, 0);
    if (N != NP) compact(result, out, n, 1, N, NP);
  }
}
