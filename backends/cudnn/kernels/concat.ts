/** tfjs's Concat, SplitV, Pack, Unpack and Slice in CUDA: copies of rows, for float32 and int32. */

import * as tf from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/copy.cu" with { type: "text" };
import { cudaModule } from "../module.ts";
import { launchEach } from "./launch_each.ts";

const COPY_ROWS = cudaModule("copies of rows", source).kernel("copyRows");

/** A dtype of 4 bytes. */
type Word = "float32" | "int32";

function wordOf(tensors: readonly tf.TensorInfo[]): Word | undefined {
  const [{ dtype }] = tensors;
  const same = tensors.every((tensor) => tensor.dtype === dtype);
  return same && (dtype === "float32" || dtype === "int32") ? dtype : undefined;
}

/** Pieces of a tensor along an axis: `[rows, width]` each, side by side. */
interface Pieces {
  whole: tf.TensorInfo;
  pieces: readonly tf.TensorInfo[];
  rows: number;
}

/** Copies pieces into the whole, or out of it where `split`; `first` values of each row are not theirs. */
function copyPieces(
  backend: CudnnBackend,
  { whole, pieces, rows, split, first = 0 }: Pieces & { split: boolean; first?: number },
): void {
  if (rows === 0) return;
  const wholeWidth = tf.util.sizeFromShape(whole.shape) / rows, all = backend.address(whole);
  let at = first;
  for (const piece of pieces) {
    const elements = tf.util.sizeFromShape(piece.shape), width = elements / rows;
    const part = backend.address(piece);
    launchEach(backend, COPY_ROWS, {
      threads: elements,
      arguments: {
        from: split ? all : part,
        to: split ? part : all,
        elements,
        width,
        fromStride: split ? wholeWidth : width,
        fromFirst: split ? at : 0,
        toStride: split ? width : wholeWidth,
        toFirst: split ? 0 : at,
      },
    });
    at += width;
  }
}

/** Values in front of an axis. */
function rowsBefore(shape: number[], axis: number): number {
  return tf.util.sizeFromShape(shape.slice(0, axis));
}

/** The concatenation, or undefined where the dtypes are others. */
export function concatKernel(
  backend: CudnnBackend,
  { inputs, attrs }: { inputs: tf.TensorInfo[]; attrs: { axis: number } },
): tf.TensorInfo | undefined {
  const pieces = Object.values(inputs), dtype = wordOf(pieces);
  if (!dtype) return undefined;
  const [axis] = tf.util.parseAxisParam(attrs.axis, pieces[0].shape);
  const shapes = pieces.map(({ shape }) => shape);
  tf.backend_util.assertParamsConsistent(shapes, axis);
  const shape = tf.backend_util.computeOutShape(shapes, axis);
  const whole = backend.allocate(shape, dtype);
  copyPieces(backend, { whole, pieces, rows: rowsBefore(shape, axis), split: false });
  return whole;
}

/** The pieces, or undefined where the dtype is another. */
export function splitKernel(
  backend: CudnnBackend,
  { inputs: { x }, attrs }: { inputs: { x: tf.TensorInfo }; attrs: tf.SplitVAttrs },
): tf.TensorInfo[] | undefined {
  const dtype = wordOf([x]), [axis] = tf.util.parseAxisParam(attrs.axis, x.shape);
  if (!dtype) return undefined;
  const sizes = tf.backend_util.prepareSplitSize(x as tf.Tensor, attrs.numOrSizeSplits, axis);
  const pieces = sizes.map((size) => backend.allocate(x.shape.with(axis, size), dtype));
  copyPieces(backend, { whole: x, pieces, rows: rowsBefore(x.shape, axis), split: true });
  return pieces;
}

/** Tensors of one shape along a new axis, or undefined where the dtypes are others. */
export function packKernel(
  backend: CudnnBackend,
  { inputs, attrs: { axis } }: { inputs: tf.TensorInfo[]; attrs: tf.PackAttrs },
): tf.TensorInfo | undefined {
  const pieces = Object.values(inputs), dtype = wordOf(pieces), [{ shape }] = pieces;
  for (const piece of pieces) {
    tf.util.assertShapesMatch(shape, piece.shape, "Cannot stack tensors of different shapes: ");
  }
  if (!dtype) return undefined;
  const whole = backend.allocate(shape.toSpliced(axis, 0, pieces.length), dtype);
  copyPieces(backend, { whole, pieces, rows: rowsBefore(shape, axis), split: false });
  return whole;
}

/** The tensors along an axis, or undefined where the dtype is another. */
export function unpackKernel(
  backend: CudnnBackend,
  { inputs: { value }, attrs }: { inputs: { value: tf.TensorInfo }; attrs: tf.UnpackAttrs },
): tf.TensorInfo[] | undefined {
  const { shape } = value, dtype = wordOf([value]);
  if (!dtype) return undefined;
  const [axis] = tf.util.parseAxisParam(attrs.axis, shape);
  const pieces = Array.from(
    { length: shape[axis] },
    () => backend.allocate(shape.toSpliced(axis, 1), dtype),
  );
  copyPieces(backend, { whole: value, pieces, rows: rowsBefore(shape, axis), split: true });
  return pieces;
}

/** A part of a tensor that is cut along one axis alone, or undefined. */
export function sliceKernel(
  backend: CudnnBackend,
  { inputs: { x }, attrs }: { inputs: { x: tf.TensorInfo }; attrs: tf.SliceAttrs },
): tf.TensorInfo | undefined {
  const [begin, size] = tf.slice_util.parseSliceParams(x as tf.Tensor, attrs.begin, attrs.size);
  tf.slice_util.assertParamsValid(x, begin, size);
  const dtype = wordOf([x]), cut = size.flatMap((n, axis) => n === x.shape[axis] ? [] : [axis]);
  if (!dtype || cut.length > 1) return undefined;
  const [axis = 0] = cut, inner = tf.util.sizeFromShape(x.shape.slice(axis + 1));
  const piece = backend.allocate(size, dtype), first = (begin[axis] ?? 0) * inner;
  copyPieces(backend, {
    whole: x,
    pieces: [piece],
    rows: rowsBefore(x.shape, axis),
    split: true,
    first,
  });
  return piece;
}
