/**
 * tfjs's Concat and SplitV on the CPU for float32 tensors and their last axis, as cells join their nodes
 * on channels; other cases are tfjs-backend-cpu's, which go element by element.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { CpuBackend } from "../backend.ts";
import { PARTS } from "../parts.ts";
import { WorkBlocks, writeRecords } from "../records.ts";
import { JoinCall, layoutBytes } from "../wasm/layouts.ts";

/** Rows from which on threads share the work. */
const SPLIT_ROWS = 512;

/** The concatenation, or undefined where this kernel does not apply. */
export function concatKernel(
  backend: CpuBackend,
  { inputs, attrs: { axis } }: { inputs: TensorInfo[]; attrs: { axis: number } },
): TensorInfo | undefined {
  const list = Object.values(inputs), last = list[0].shape.length - 1;
  const rows = list[0].shape.slice(0, last);
  const joins = list.length > 1 && (axis === last || axis === -1) && last >= 0 &&
    list.every(({ dtype, shape }) =>
      dtype === "float32" && shape[last] > 0 && util.arraysEqual(shape.slice(0, last), rows)
    );
  if (!joins) return undefined;
  const whole = backend.allocate([...rows, list.reduce((sum, { shape }) => sum + shape[last], 0)]);
  join(backend, { pieces: list, whole, split: false });
  return whole;
}

/** The pieces, or undefined where this kernel does not apply. */
export function splitKernel(
  backend: CpuBackend,
  { inputs: { x }, attrs: { axis, numOrSizeSplits } }: {
    inputs: { x: TensorInfo };
    attrs: { axis: number; numOrSizeSplits: number | number[] };
  },
): TensorInfo[] | undefined {
  const last = x.shape.length - 1, rows = x.shape.slice(0, last);
  const sizes = numOrSizeSplits;
  if (x.dtype !== "float32" || (axis !== last && axis !== -1) || !Array.isArray(sizes)) {
    return undefined;
  }
  const whole = sizes.reduce((sum, size) => sum + size, 0);
  if (whole !== x.shape[last] || sizes.some((size) => size <= 0)) return undefined;
  const pieces = sizes.map((size) => backend.allocate([...rows, size]));
  join(backend, { pieces, whole: x, split: true });
  return pieces;
}

function join(
  backend: CpuBackend,
  { pieces, whole, split }: { pieces: TensorInfo[]; whole: TensorInfo; split: boolean },
): void {
  using work = new WorkBlocks(backend.arena);
  const last = whole.shape.length - 1, rows = util.sizeFromShape(whole.shape.slice(0, last));
  const count = pieces.length, table = work.take(8 * count);
  const words = backend.arena.words(table, 2 * count);
  pieces.forEach((piece, index) => {
    words[index] = backend.address(piece);
    words[count + index] = 4 * piece.shape[last];
  });
  const parts = rows < SPLIT_ROWS ? 1 : PARTS;
  const call = {
    pieces: table,
    rowBytes: table + 4 * count,
    count,
    whole: backend.address(whole),
    wholeBytes: 4 * whole.shape[last],
    rows,
    parts,
    split: Number(split),
  };
  const args = work.take(layoutBytes(JoinCall));
  writeRecords(backend.arena, args, { layout: JoinCall, records: [call] });
  backend.run("joinRows", args, {
    parts,
    work: () => ({ label: "concat and split", flops: 0, bytes: 2 * rows * call.wholeBytes }),
  });
}
