/**
 * tfjs's Concat and SplitV in WGSL for float32 tensors and their last axis, as cells join their nodes on
 * channels; other cases are tfjs-backend-webgpu's, which bind whole tensors.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WebGpuBackend } from "../backend.ts";
import { itemProgram } from "../program.ts";
import { slicesOf } from "../slices.ts";
import source from "../wgsl/copy_columns.wgsl" with { type: "text" };

const COPY_COLUMNS = itemProgram("copy of columns", source);

/** The concatenation, or undefined where this kernel does not apply. */
export function concatKernel(
  backend: WebGpuBackend,
  { inputs, attrs: { axis } }: { inputs: TensorInfo[]; attrs: { axis: number } },
): TensorInfo | undefined {
  const list = Object.values(inputs), last = list[0].shape.length - 1;
  const rows = list[0].shape.slice(0, last);
  const joins = list.length > 1 && (axis === last || axis === -1) && last >= 0 &&
    list.every(({ dtype, shape }) =>
      dtype === "float32" && util.sizeFromShape(shape) > 0 &&
      util.arraysEqual(shape.slice(0, last), rows)
    );
  if (!joins) return undefined;
  const whole = backend.allocate([...rows, list.reduce((sum, { shape }) => sum + shape[last], 0)]);
  join(backend, { pieces: list, whole, split: false });
  return whole;
}

/** The pieces, or undefined where this kernel does not apply. */
export function splitKernel(
  backend: WebGpuBackend,
  { inputs: { x }, attrs: { axis, numOrSizeSplits } }: {
    inputs: { x: TensorInfo };
    attrs: { axis: number; numOrSizeSplits: number | number[] };
  },
): TensorInfo[] | undefined {
  const last = x.shape.length - 1, rows = x.shape.slice(0, last), sizes = numOrSizeSplits;
  if (x.dtype !== "float32" || (axis !== last && axis !== -1) || !Array.isArray(sizes)) {
    return undefined;
  }
  const whole = sizes.reduce((sum, size) => sum + size, 0);
  const empty = util.sizeFromShape(x.shape) === 0 || sizes.some((size) => size <= 0);
  if (whole !== x.shape[last] || empty) return undefined;
  const pieces = sizes.map((size) => backend.allocate([...rows, size]));
  join(backend, { pieces, whole: x, split: true });
  return pieces;
}

function join(
  backend: WebGpuBackend,
  { pieces, whole, split }: { pieces: TensorInfo[]; whole: TensorInfo; split: boolean },
): void {
  const last = whole.shape.length - 1, wide = whole.shape[last];
  const rows = util.sizeFromShape(whole.shape) / wide,
    widths = pieces.map(({ shape }) => shape[last]);
  const item = widths.every((width) => width % 4 === 0) ? 4 : 1;
  const joined = { buffer: backend.buffer(whole), values: wide };
  let first = 0;
  pieces.forEach((info, index) => {
    const width = widths[index], piece = { buffer: backend.buffer(info), values: width };
    const [from, to] = split ? [joined, piece] : [piece, joined];
    const [fromFirst, toFirst] = split ? [first, 0] : [0, first];
    for (const { length, bind } of slicesOf(backend, { length: rows, tensors: [from, to] })) {
      const elements = length * width / item;
      backend.run(item === 4 ? COPY_COLUMNS.quads : COPY_COLUMNS.singles, {
        buffers: [bind(from), bind(to)],
        uniforms: {
          elements,
          width: width / item,
          fromWidth: from.values / item,
          fromFirst: fromFirst / item,
          toWidth: to.values / item,
          toFirst: toFirst / item,
        },
        invocations: elements,
      });
    }
    first += width;
  });
}
