/**
 * The safetensors file format: named tensors and text metadata in one file that PyTorch, Python and
 * browsers read without running code.
 *
 * Layout: eight bytes of header length (little endian), a JSON header padded with spaces to a multiple
 * of eight, and the data; an entry of the header is `{dtype, shape, data_offsets}`, and `__metadata__`
 * maps text to text. Invariants: the data has no holes, starts with the widest type so that every
 * tensor is aligned, and a decoded file is checked for all of this before any tensor is made.
 *
 * Source: the format's description at https://huggingface.co/docs/safetensors.
 */

import { fromBFloat16, fromHalf } from "./half_floats.ts";

/** The element types written and read here, by the names of the format. */
const TYPES = {
  F64: Float64Array,
  I64: BigInt64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
} as const;

type TypeName = keyof typeof TYPES;

/** How the elements of a type are read. */
interface Decoder {
  /** Bytes of an element. */
  width: number;
  decode: (buffer: ArrayBuffer) => HostData;
}

/** Of every type that is read; the two of 16 bits become float32, and are not written. */
const DECODERS: Readonly<Record<string, Decoder>> = {
  F16: { width: 2, decode: fromHalf },
  BF16: { width: 2, decode: fromBFloat16 },
  ...Object.fromEntries(
    Object.entries(TYPES).map(([name, type]): [string, Decoder] => {
      return [name, { width: type.BYTES_PER_ELEMENT, decode: (buffer) => new type(buffer) }];
    }),
  ),
};

/** Elements of a tensor on the host. */
export type HostData =
  | Float64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** A tensor on the host, row-major. */
export interface HostTensor {
  /** Sizes; empty for a scalar. */
  readonly shape: readonly number[];
  /** As many elements as the shape holds. */
  readonly data: HostData;
}

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** Tensors by name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Text by key. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where one tensor lies, as in the header. */
interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [begin: number, end: number];
}

/** The longest header read, 100 MB, as in the format's reference implementation. */
const HEADER_LIMIT = 100_000_000;

function typeName(data: HostData): TypeName {
  const found = (Object.keys(TYPES) as TypeName[]).find((name) => data instanceof TYPES[name]);
  if (!found) throw new TypeError(`Cannot write safetensors: got a ${data.constructor.name}`);
  return found;
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Writes tensors and metadata as the bytes of a safetensors file.
 *
 * @throws {TypeError} when the elements are of a type other than those of {@linkcode HostData}
 * @throws {RangeError} when a tensor's elements do not fill its shape, or a name is `__metadata__`
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  const ordered = [...tensors].sort(([, a], [, b]) =>
    b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT
  );
  let offset = 0;
  for (const [name, { shape, data }] of ordered) {
    if (name === "__metadata__" || elementCount(shape) !== data.length) {
      throw new RangeError(
        `Cannot write safetensors: got ${data.length} elements for '${name}' of [${shape}]`,
      );
    }
    const end = offset + data.byteLength;
    header[name] = { dtype: typeName(data), shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, 8, 8 + padded).set(text, 8);
  let place = 8 + padded;
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), place);
    place += data.byteLength;
  }
  return bytes;
}

/**
 * Reads a safetensors file.
 *
 * @returns tensors with memory of their own
 * @throws {SyntaxError} when the bytes are not a whole, well-formed safetensors file
 * @throws {TypeError} when a tensor is of a type not read here
 */
export function decodeSafetensors(bytes: Uint8Array<ArrayBuffer>): SafetensorsFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? 0 : Number(view.getBigUint64(0, true));
  if (length < 2 || length > HEADER_LIMIT || 8 + length > bytes.length) {
    fail(`${bytes.length} bytes do not hold the header`);
  }
  const { __metadata__: metadata = {}, ...entries } = parseHeader(bytes.subarray(8, 8 + length));
  const data = bytes.subarray(8 + length);
  const tensors = new Map<string, HostTensor>();
  let expected = 0;
  const inPlace = Object.entries(entries as Record<string, Entry>)
    .map(([name, entry]) => ({ name, ...checkEntry(name, entry) }))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  for (const { name, shape, type, begin, end } of inPlace) {
    if (begin !== expected || end > data.length) fail(`'${name}' lies at ${begin} to ${end}`);
    expected = end;
    tensors.set(name, { shape, data: DECODERS[type].decode(data.slice(begin, end).buffer) });
  }
  if (expected !== data.length) fail(`${data.length} bytes of data, not ${expected}`);
  return { tensors, metadata: metadata as Record<string, string> };
}

function parseHeader(text: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch {
    fail("the header is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    fail("the header is not an object");
  }
  return header as Record<string, unknown>;
}

function checkEntry(name: string, entry: Entry) {
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  const whole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  if (
    !Array.isArray(shape) || !shape.every(whole) || !Array.isArray(offsets) ||
    offsets.length !== 2 || !offsets.every(whole)
  ) fail(`'${name}' has no shape or place`);
  if (!Object.hasOwn(DECODERS, dtype)) {
    throw new TypeError(`Cannot read safetensors: '${name}' is of type ${dtype}`);
  }
  const [begin, end] = offsets;
  if (end - begin !== elementCount(shape) * DECODERS[dtype].width) {
    fail(`'${name}' of ${dtype} [${shape}] takes ${end - begin} bytes`);
  }
  return { shape, type: dtype, begin, end };
}

function fail(reason: string): never {
  throw new SyntaxError(`Cannot read safetensors: ${reason}`);
}
