/**
 * The two orders in which a weight's numbers may lie: PyTorch's, in state dicts, and ours, on devices.
 *
 * Ours puts channels last: convolutions `[kh, kw, in, out]`, depthwise ones `[k, k, channels, 1]`,
 * linear weights `[in, out]`. Invariant: a layout is a permutation of PyTorch's axes, so both
 * directions are exact.
 */

/** What a parameter is; decides how its axes are permuted. */
export type Layout = "convolution" | "depthwise" | "linear" | "plain";

/** Per layout: axis i of ours is this axis of PyTorch's; `plain` keeps any rank as it is. */
const AXES: Record<Exclude<Layout, "plain">, readonly number[]> = {
  convolution: [2, 3, 1, 0],
  depthwise: [2, 3, 0, 1],
  linear: [1, 0],
};

/** Our shape of a tensor that has this shape in PyTorch. */
export function ourShape(torchShape: readonly number[], layout: Layout): number[] {
  return layout === "plain" ? [...torchShape] : AXES[layout].map((axis) => torchShape[axis]);
}

/** Numbers in PyTorch's order, put in ours. */
export function fromTorch(
  data: Float32Array,
  { shape, layout }: { shape: readonly number[]; layout: Layout },
): Float32Array<ArrayBuffer> {
  if (layout === "plain") return new Float32Array(data);
  return permute(data, { shape, axes: AXES[layout] });
}

/** Numbers in our order, put in PyTorch's; `shape` is PyTorch's. */
export function toTorch(
  data: Float32Array,
  { shape, layout }: { shape: readonly number[]; layout: Layout },
): Float32Array<ArrayBuffer> {
  if (layout === "plain") return new Float32Array(data);
  const axes = AXES[layout];
  const inverse = axes.map((_, axis) => axes.indexOf(axis));
  return permute(data, { shape: ourShape(shape, layout), axes: inverse });
}

/** Row-major numbers of `shape`, with axis i of the result taken from axis `axes[i]`. */
function permute(
  data: Float32Array,
  { shape, axes }: { shape: readonly number[]; axes: readonly number[] },
): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, n) => size * n, 1));
  const sizes = axes.map((axis) => shape[axis]), steps = axes.map((axis) => strides[axis]);
  const result = new Float32Array(data.length);
  const index = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < sizes[axis]) break;
      from -= steps[axis] * sizes[axis];
      index[axis] = 0;
    }
  }
  return result;
}
