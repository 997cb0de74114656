/**
 * PyTorch's storages and tensors as its files describe them, and their numbers.
 *
 * A storage is a flat run of numbers of one type, a tensor a strided view of one; several tensors may
 * share a storage. Invariant: a {@linkcode TorchTensor} lies within its storage.
 *
 * Source: torch/_utils.py (`_rebuild_tensor_v2`), torch/serialization.py.
 */

import { fromBFloat16, fromHalf } from "../../nn/half_floats.ts";
import type { HostData, HostTensor } from "../../nn/safetensors.ts";
import { failWeights } from "./weights_error.ts";

/** How the numbers of a storage are read. */
interface ElementType {
  /** Bytes of a number. */
  readonly width: 1 | 2 | 4 | 8;
  /** The numbers in little-endian memory, narrow ones widened. */
  readonly numbers: (buffer: ArrayBuffer) => HostData;
}

/** The storage classes of the module torch. */
export const ELEMENT_TYPES = {
  DoubleStorage: { width: 8, numbers: (buffer) => new Float64Array(buffer) },
  FloatStorage: { width: 4, numbers: (buffer) => new Float32Array(buffer) },
  HalfStorage: { width: 2, numbers: fromHalf },
  BFloat16Storage: { width: 2, numbers: fromBFloat16 },
  LongStorage: { width: 8, numbers: (buffer) => new BigInt64Array(buffer) },
  IntStorage: { width: 4, numbers: (buffer) => new Int32Array(buffer) },
  ShortStorage: { width: 2, numbers: (buffer) => new Int32Array(new Int16Array(buffer)) },
  CharStorage: { width: 1, numbers: (buffer) => new Int32Array(new Int8Array(buffer)) },
  ByteStorage: { width: 1, numbers: (buffer) => new Uint8Array(buffer) },
  BoolStorage: { width: 1, numbers: (buffer) => new Uint8Array(buffer) },
} as const satisfies Readonly<Record<string, ElementType>>;

/** The name of a storage class. */
export type StorageType = keyof typeof ELEMENT_TYPES;

/** A storage, whose bytes lie elsewhere in the file. */
export class TorchStorage {
  /** Of `size` numbers, found in the file under `key`. */
  constructor(readonly key: string, readonly type: StorageType, readonly size: number) {}

  /** Bytes that it takes. */
  get byteLength(): number {
    return this.size * ELEMENT_TYPES[this.type].width;
  }

  /**
   * The numbers in its bytes.
   *
   * @param bytes As many as it takes.
   * @returns memory of its own
   */
  numbers(bytes: Uint8Array, { bigEndian }: { bigEndian: boolean }): HostData {
    const { width, numbers } = ELEMENT_TYPES[this.type];
    const copy = Uint8Array.from(bytes);
    if (bigEndian) {
      for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse();
    }
    return numbers(copy.buffer);
  }
}

/** A tensor: a strided view of a storage. */
export class TorchTensor {
  /** Numbers that it shows. */
  readonly size: number;

  /**
   * Describes it.
   *
   * @param view.offset The storage's number that comes first.
   * @param view.strides Per axis, numbers of the storage from one index to the next.
   * @throws {WeightsError} If any is no count, or the tensor leaves its storage.
   */
  constructor(
    readonly storage: TorchStorage,
    readonly view: { offset: number; shape: readonly number[]; strides: readonly number[] },
  ) {
    const { offset, shape, strides } = view;
    this.size = shape.reduce((product, side) => product * side, 1);
    const last = shape.reduce((at, side, axis) => at + (side - 1) * strides[axis], offset);
    const counts = [offset, ...shape, ...strides, this.size];
    const end = this.size === 0 ? offset : last + 1;
    if (
      shape.length !== strides.length || !counts.every(isCount) || !(end <= storage.size)
    ) {
      failWeights(
        `a tensor of shape [${shape}] and strides [${strides}] at ${offset} does not fit its ` +
          `storage of ${storage.size} numbers`,
      );
    }
  }

  /** Its numbers, row-major, from those of its storage. */
  gather(numbers: HostData): HostTensor {
    const { offset, shape, strides } = this.view;
    if (isContiguous(this)) return { shape, data: numbers.slice(offset, offset + this.size) };
    const data = numbers.slice(0, 0).constructor as new (size: number) => HostData;
    const result = new data(this.size), index = shape.map(() => 0);
    let from = offset;
    for (let to = 0; to < this.size; to++) {
      result[to] = numbers[from];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        from += strides[axis];
        if (++index[axis] < shape[axis]) break;
        from -= strides[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    return { shape, data: result };
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Whether a tensor's numbers lie row-major without gaps. */
function isContiguous({ view: { shape, strides } }: TorchTensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}
