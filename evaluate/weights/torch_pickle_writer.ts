/**
 * Writes the pickle of a state dict, of protocol 2, such that `torch.load(weights_only=True)` reads it.
 *
 * Source: torch/_utils.py (`_rebuild_tensor_v2`), CPython's Lib/pickletools.py.
 */

import type { HostData, HostTensor } from "../../nn/safetensors.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import type { StorageType } from "./torch_tensors.ts";

/** The storage class of some numbers. */
function storageTypeOf(data: HostData): StorageType {
  if (data instanceof Float32Array) return "FloatStorage";
  if (data instanceof Float64Array) return "DoubleStorage";
  if (data instanceof BigInt64Array) return "LongStorage";
  if (data instanceof Int32Array) return "IntStorage";
  if (data instanceof Uint8Array) return "ByteStorage";
  throw new TypeError(`Cannot write a file of PyTorch's: got a ${data.constructor.name}`);
}

/** The strides of row-major numbers. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((size, side) => size * side, 1));
}

/** A pickle in the making. */
export class PickleWriter {
  readonly #bytes: number[] = [0x80, 2];

  /** Appends an opcode, a character, and its operands. */
  opcode(code: string, operands: Iterable<number> = []): this {
    this.#bytes.push(code.charCodeAt(0), ...operands);
    return this;
  }

  /** A string. */
  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    return this.opcode("X", [...bytesOf(Uint32Array.of(bytes.length)), ...bytes]);
  }

  /** An integer below 2^53. */
  integer(value: number): this {
    if (0 <= value && value < 256) return this.opcode("K", [value]);
    if (value === (value | 0)) return this.opcode("J", bytesOf(Int32Array.of(value)));
    return this.opcode("\x8a", [8, ...bytesOf(BigInt64Array.of(BigInt(value)))]);
  }

  /** A name of Python's. */
  global(module: string, name: string): this {
    return this.opcode("c", new TextEncoder().encode(`${module}\n${name}\n`));
  }

  /** A tuple of integers. */
  integers(values: readonly number[]): this {
    this.opcode("(");
    for (const value of values) this.integer(value);
    return this.opcode("t");
  }

  /** An empty OrderedDict. */
  orderedDictionary(): this {
    return this.global("collections", "OrderedDict").opcode(")").opcode("R");
  }

  /** A tensor whose storage has this key. */
  tensor({ shape, data }: HostTensor, { key, legacy }: { key: string; legacy: boolean }): this {
    this.global("torch._utils", "_rebuild_tensor_v2").opcode("(");
    this.opcode("(").text("storage").global("torch", storageTypeOf(data)).text(key).text("cpu");
    this.integer(data.length);
    if (legacy) this.opcode("N"); // not a view of another storage
    this.opcode("t").opcode("Q").integer(0).integers(shape).integers(stridesOf(shape));
    return this.opcode("\x89").orderedDictionary().opcode("t").opcode("R"); // no gradient, no hooks
  }

  /** The whole pickle. */
  finish(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.opcode(".").#bytes);
  }
}

function bytesOf({ buffer }: HostData): Uint8Array {
  return new Uint8Array(buffer);
}

/**
 * The pickle of a state dict as an OrderedDict; the storage of its i-th tensor has the key `${i}`.
 *
 * @param options.legacy Whether for the format before torch 1.6.
 * @throws {TypeError} If the elements of a tensor are of a type that PyTorch has not.
 */
export function pickleStateDict(
  dict: StateDict,
  { legacy }: { legacy: boolean },
): Uint8Array<ArrayBuffer> {
  const writer = new PickleWriter().orderedDictionary().opcode("(");
  let index = 0;
  for (const [name, tensor] of dict) {
    writer.text(name).tensor(tensor, { key: `${index++}`, legacy });
  }
  return writer.opcode("u").finish();
}
