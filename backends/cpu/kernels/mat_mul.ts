/**
 * tfjs's BatchMatMul on the CPU for float32 tensors: classifiers, and the linear maps of an image's rows
 * and columns. Other cases are tfjs-backend-cpu's.
 */

import { broadcast_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { CpuBackend } from "../backend.ts";
import { PARTS } from "../parts.ts";
import { WorkBlocks, writeRecords } from "../records.ts";
import { layoutBytes, MAT_MUL_ROWS, MatMulCall } from "../wasm/layouts.ts";
import { padded } from "./branches_plan.ts";

/** Multiply-adds below which a call to other threads costs more than it saves. */
const SPLIT_PRODUCTS = 65536;

/** `[..., M, K] x [..., K, N]`, either one transposed, or undefined where this kernel does not apply. */
export function matMulKernel(
  backend: CpuBackend,
  { inputs: { a, b }, attrs: { transposeA, transposeB } }: {
    inputs: { a: TensorInfo; b: TensorInfo };
    attrs: { transposeA: boolean; transposeB: boolean };
  },
): TensorInfo | undefined {
  if (a.shape.length < 2 || b.shape.length < 2) return undefined;
  const [rows, inner] = sides(a, transposeA), [innerB, columns] = sides(b, transposeB);
  const [ofA, ofB] = [a, b].map(({ shape }) => shape.slice(0, -2));
  const outer = broadcast_util.assertAndGetBroadcastShape(ofA, ofB);
  const batch = util.sizeFromShape(outer), shape = [...outer, rows, columns];
  const stepOf = (own: number[], step: number) => util.sizeFromShape(own) === 1 ? 0 : step;
  const whole = [ofA, ofB].every((own) => [1, batch].includes(util.sizeFromShape(own)));
  const applies = a.dtype === "float32" && b.dtype === "float32" && inner === innerB && whole;
  if (!applies || util.sizeFromShape(shape) * inner === 0) return undefined;
  const out = backend.allocate(shape), products = batch * rows * inner * columns;
  const jobs = batch * Math.ceil(rows / MAT_MUL_ROWS);
  const call = {
    a: backend.address(a),
    b: backend.address(b),
    out: backend.address(out),
    batch,
    aStep: stepOf(ofA, rows * inner),
    bStep: stepOf(ofB, inner * columns),
    rows,
    inner,
    columns,
    transposeA: Number(transposeA),
    transposeB: Number(transposeB),
    parts: products < SPLIT_PRODUCTS ? 1 : Math.min(PARTS, jobs),
  };
  using work = new WorkBlocks(backend.arena);
  const args = work.take(layoutBytes(MatMulCall));
  writeRecords(backend.arena, args, { layout: MatMulCall, records: [call] });
  const [innerP, columnsP] = [padded(inner), padded(columns)];
  backend.run("matMul", args, {
    parts: call.parts,
    scratchBytes: 4 * (MAT_MUL_ROWS * (innerP + columnsP + 1) + innerP * columnsP),
    work: () => ({
      label: "matMul",
      flops: 2 * products,
      bytes: 4 * [a, b, out].reduce((sum, { shape }) => sum + util.sizeFromShape(shape), 0),
    }),
  });
  return out;
}

/** Rows and columns of the matrices, as they are multiplied. */
function sides({ shape }: TensorInfo, transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
}
