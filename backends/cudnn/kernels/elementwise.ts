/** tfjs's own ops on single values in CUDA, float32: a row in a table for each. */

import * as tf from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/elementwise.cu" with { type: "text" };
import { cudaModule } from "../module.ts";
import { launchEach } from "./launch_each.ts";

/** The result of `v` in CUDA C, by tfjs's name of the op. */
const UNARY: Readonly<Record<string, string>> = {
  [tf.Neg]: "-v",
  [tf.Relu]: "v < 0.0f ? 0.0f : v",
  [tf.Rsqrt]: "1.0f / sqrtf(v)",
  [tf.Sqrt]: "sqrtf(v)",
  [tf.Square]: "v * v",
  [tf.Step]: "v > 0.0f ? 1.0f : v == v ? 0.0f : v",
};

/** The result of `a` and `b`. */
const BINARY: Readonly<Record<string, string>> = {
  [tf.Add]: "a + b",
  [tf.Sub]: "a - b",
  [tf.Multiply]: "a * b",
  [tf.RealDiv]: "a / b",
};

const cases = (table: Readonly<Record<string, string>>) =>
  Object.values(table).map((result, op) => `case ${op}: result = ${result}; break;`).join(" ");

const MODULE = cudaModule(
  "elementwise",
  `#define UNARY_CASES ${cases(UNARY)}\n#define BINARY_CASES ${cases(BINARY)}\n${source}`,
);
const UNARY_KERNEL = MODULE.kernel("unary");
const BINARY_KERNEL = MODULE.kernel("binary");
const FILL = MODULE.kernel("fill");

/** Axes that a shape of the binary kernel has. */
const AXES = 4;

type Elementwise<Inputs> = (
  backend: CudnnBackend,
  call: { inputs: Inputs; attrs?: tf.NamedAttrMap },
) => tf.TensorInfo | undefined;

/** Ops of one input; undefined where it is not float32, or a step has a slope below 0. */
export const unaryKernels: Readonly<Record<string, Elementwise<{ x: tf.TensorInfo }>>> = Object
  .fromEntries(
    Object.keys(UNARY).map((
      name,
      op,
    ) => [
      name,
      (backend, { inputs: { x }, attrs }) => attrs?.alpha ? undefined : unary(backend, { op, x }),
    ]),
  );

/**
 * Ops of two inputs, whose axes of one value are for all values of the other's; undefined where an
 * input is not float32 or has more than 4 axes.
 */
export const binaryKernels: Readonly<
  Record<string, Elementwise<{ a: tf.TensorInfo; b: tf.TensorInfo }>>
> = Object.fromEntries(
  Object.keys(BINARY).map((
    name,
    op,
  ) => [name, (backend, { inputs }) => binary(backend, { op, ...inputs })]),
);

function unary(
  backend: CudnnBackend,
  { op, x }: { op: number; x: tf.TensorInfo },
): tf.TensorInfo | undefined {
  if (x.dtype !== "float32") return undefined;
  const result = backend.allocate(x.shape), elements = tf.util.sizeFromShape(x.shape);
  launchEach(backend, UNARY_KERNEL, {
    threads: elements,
    arguments: {
      x: backend.address(x),
      y: backend.address(result),
      elements,
      op,
    },
  });
  return result;
}

function binary(
  backend: CudnnBackend,
  { op, a, b }: { op: number; a: tf.TensorInfo; b: tf.TensorInfo },
): tf.TensorInfo | undefined {
  const shape = tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
  if (a.dtype !== "float32" || b.dtype !== "float32" || shape.length > AXES) return undefined;
  const result = backend.allocate(shape), elements = tf.util.sizeFromShape(shape);
  const [x0, x1, x2, x3] = steps(a.shape), [y0, y1, y2, y3] = steps(b.shape);
  const [, d1, d2, d3] = padded(shape);
  launchEach(backend, BINARY_KERNEL, {
    threads: elements,
    arguments: {
      x: backend.address(a),
      y: backend.address(b),
      z: backend.address(result),
      elements,
      op,
      ...{ d1, d2, d3 },
      ...{ x0, x1, x2, x3, y0, y1, y2, y3 },
    },
  });
  return result;
}

/** A shape of 4 axes. */
function padded(shape: number[]): number[] {
  return [...new Array(AXES - shape.length).fill(1), ...shape];
}

/** How far apart neighbours along each axis are; 0 along axes of one value. */
function steps(shape: number[]): number[] {
  const sizes = padded(shape);
  return sizes.map((size, axis) =>
    size === 1 ? 0 : sizes.slice(axis + 1).reduce((product, inner) => product * inner, 1)
  );
}

/** A float32 tensor of one value. */
export function fill(
  backend: CudnnBackend,
  { shape, value }: { shape: number[]; value: number },
): tf.TensorInfo {
  const result = backend.allocate(shape), elements = tf.util.sizeFromShape(shape);
  launchEach(backend, FILL, {
    threads: elements,
    arguments: { y: backend.address(result), elements, value },
  });
  return result;
}

/** tfjs's Fill, or undefined where it is not for float32. */
export function fillKernel(
  backend: CudnnBackend,
  { attrs: { shape, value, dtype } }: { attrs: tf.FillAttrs },
): tf.TensorInfo | undefined {
  return dtype === "float32" ? fill(backend, { shape, value: value as number }) : undefined;
}

/** A kernel that fills a tensor of its input's shape, or undefined where that is not float32. */
export function fillLike(value: number) {
  return (
    backend: CudnnBackend,
    { inputs: { x } }: { inputs: { x: tf.TensorInfo } },
  ): tf.TensorInfo | undefined =>
    x.dtype === "float32" ? fill(backend, { shape: x.shape, value }) : undefined;
}

const CASTS = {
  "int32 to float32": MODULE.kernel("intToFloat"),
  "bool to float32": MODULE.kernel("boolToFloat"),
  "bool to int32": MODULE.kernel("boolToInt"),
};

/**
 * tfjs's Cast to the type itself, or from a narrower to a wider type of numbers, or undefined: tfjs-backend-cpu then gives the
 * same values a second dtype, but a block of memory has one.
 */
export function castKernel(
  backend: CudnnBackend,
  { inputs: { x }, attrs: { dtype } }: { inputs: { x: tf.TensorInfo }; attrs: tf.CastAttrs },
): tf.TensorInfo | undefined {
  if (x.dtype === dtype) {
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype };
  }
  const kernel = CASTS[`${x.dtype} to ${dtype}` as keyof typeof CASTS];
  if (!kernel) return undefined;
  const result = backend.allocate(x.shape, dtype as "float32" | "int32");
  const elements = tf.util.sizeFromShape(x.shape);
  launchEach(backend, kernel, {
    threads: elements,
    arguments: { x: backend.address(x), y: backend.address(result), elements },
  });
  return result;
}
