/** tfjs's BatchMatMul in CUDA, float32. */

import { type BatchMatMulAttrs, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/mat_mul.cu" with { type: "text" };
import { cudaModule } from "../module.ts";

const MAT_MUL = cudaModule("matrix product", source).kernel("matMul");
/** Rows and columns of a block's results, one a thread. */
const TILE = 16;
/** Batches of a launch at most: what a grid has along z. */
const MOST_BATCHES = 65535;

/** The products, or undefined where dtypes are others, or batches too many or shared in part. */
export function batchMatMulKernel(
  backend: CudnnBackend,
  { inputs: { a, b }, attrs: { transposeA, transposeB } }: {
    inputs: { a: TensorInfo; b: TensorInfo };
    attrs: BatchMatMulAttrs;
  },
): TensorInfo | undefined {
  const [left, right] = [a, b].map(({ shape }) => shape.slice(0, -2));
  const [aBatches, bBatches] = [left, right].map(util.sizeFromShape);
  const shared = aBatches === 1 || bBatches === 1 || util.arraysEqual(left, right);
  const outer = aBatches === 1 && right.length >= left.length ? right : left;
  const batches = util.sizeFromShape(outer), fits = shared && batches <= MOST_BATCHES;
  if (a.dtype !== "float32" || b.dtype !== "float32" || !fits) return undefined;
  const [inner, rows] = transposeA ? a.shape.slice(-2) : a.shape.slice(-2).toReversed();
  const [columns, depth] = transposeB ? b.shape.slice(-2) : b.shape.slice(-2).toReversed();
  if (inner !== depth) {
    throw new RangeError(`Cannot run matMul: got [${a.shape}] and [${b.shape}]`);
  }
  const result = backend.allocate([...outer, rows, columns]);
  backend.launch(MAT_MUL, {
    blocks: [Math.ceil(rows / TILE), Math.ceil(columns / TILE), batches],
    threads: TILE * TILE,
    arguments: {
      a: backend.address(a),
      b: backend.address(b),
      y: backend.address(result),
      rows,
      inner,
      columns,
      aTransposed: Number(transposeA),
      bTransposed: Number(transposeB),
      aBatch: aBatches === 1 ? 0 : rows * inner,
      bBatch: bBatches === 1 ? 0 : inner * columns,
    },
  });
  return result;
}
