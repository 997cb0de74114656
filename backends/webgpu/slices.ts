/**
 * Tensors larger than a binding, bound a range of their first axis at a time.
 *
 * Kernels run once per slice. Where all tensors fit, as they do on most devices, there is one slice and
 * it binds whole buffers. A binding begins at a multiple of 256 bytes, so that all slices but the last
 * are of as many indices as make the bytes of each tensor such a multiple.
 *
 * What a network makes per parameter, per class or per part of a reduction is never that large and is
 * bound whole.
 */

import type { WebGpuBackend } from "./backend.ts";
import type { Binding } from "./dispatcher.ts";
import type { StoredForm } from "./program.ts";
import { TensorSizeError } from "./tensor_size.ts";

/** What offsets of bindings are multiples of: the default minStorageBufferOffsetAlignment. */
const ALIGNMENT = 256;

/** Bytes of a value. */
const BYTES: Readonly<Record<StoredForm, number>> = { floats: 4, halves: 2 };

/** A tensor's values, from the start of a buffer. */
export interface StoredBuffer {
  buffer: GPUBuffer;
  form: StoredForm;
}

/** A buffer of floats. */
export function floats(buffer: GPUBuffer): StoredBuffer {
  return { buffer, form: "floats" };
}

/** A tensor seen as `[length, values]`, at the start of its buffer. */
export interface Rows {
  buffer: GPUBuffer;
  /** Per index of the first axis. */
  values: number;
  /** Default "floats". */
  form?: StoredForm;
}

/** A range of the first axis of tensors. */
export interface Slice {
  /** The first index, and how many there are. */
  readonly first: number;
  readonly length: number;
  /** The range of one of the tensors. */
  bind(tensor: Rows): Binding;
}

/**
 * The slices in which a program takes tensors of one length.
 *
 * @param multiple Slices begin at multiples of it; default 1.
 * @throws {TensorSizeError} If the fewest indices that make a slice exceed a binding.
 */
export function slicesOf(
  backend: WebGpuBackend,
  { length, tensors, multiple = 1 }: {
    length: number;
    tensors: readonly Rows[];
    multiple?: number;
  },
): Slice[] {
  const limit = backend.limits.maxStorageBufferBindingSize;
  const largest = Math.max(...tensors.map(bytesOf));
  if (length * largest <= limit) return [{ first: 0, length, bind: ({ buffer }) => buffer }];
  const unit = tensors.reduce(
    (common, tensor) => leastCommonMultiple(common, sliceUnit(tensor)),
    multiple,
  );
  const most = Math.floor(limit / (unit * largest)) * unit;
  if (most === 0) throw new TensorSizeError({ bytes: Math.min(unit, length) * largest, limit });
  return Array.from({ length: Math.ceil(length / most) }, (_, index): Slice => {
    const first = index * most, own = Math.min(most, length - first);
    return {
      first,
      length: own,
      bind: (tensor) => ({
        buffer: tensor.buffer,
        offset: first * bytesOf(tensor),
        // An odd number of halves ends within four bytes.
        size: 4 * Math.ceil(own * bytesOf(tensor) / 4),
      }),
    };
  });
}

/** Bytes of an index. */
function bytesOf({ values, form = "floats" }: Omit<Rows, "buffer">): number {
  return BYTES[form] * values;
}

/** What the lengths of slices are multiples of, for such a tensor. */
export function sliceUnit(tensor: Omit<Rows, "buffer">): number {
  return ALIGNMENT / gcd(ALIGNMENT, bytesOf(tensor));
}

/** The greatest common divisor of two positive integers. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function leastCommonMultiple(a: number, b: number): number {
  return a / gcd(a, b) * b;
}
