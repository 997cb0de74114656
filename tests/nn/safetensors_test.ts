/** Tests of the safetensors format: round trips, the bytes themselves, and damaged files. */

import { decodeSafetensors, encodeSafetensors, type HostTensor } from "../../nn/safetensors.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const TENSORS = new Map<string, HostTensor>([
  ["bytes", { shape: [3], data: new Uint8Array([1, 2, 255]) }],
  ["weight", { shape: [2, 1, 3], data: new Float32Array([1, -2, 3.5, NaN, Infinity, -0]) }],
  ["count", { shape: [], data: new BigInt64Array([-5n]) }],
  ["none", { shape: [0, 4], data: new Int32Array(0) }],
  ["words", { shape: [1], data: new Uint32Array([4294967295]) }],
  ["doubles", { shape: [2], data: new Float64Array([Math.PI, 1e-300]) }],
]);

function file(header: unknown, data = 0): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

Deno.test("decodeSafetensors() returns what encodeSafetensors() was given", () => {
  const { tensors, metadata } = decodeSafetensors(encodeSafetensors(TENSORS, { note: "naïve \n" }));
  assertEquals(metadata, { note: "naïve \n" });
  assertEquals([...tensors.keys()].sort(), [...TENSORS.keys()].sort());
  for (const [name, tensor] of TENSORS) assertEquals(tensors.get(name), tensor, name);
});

Deno.test("encodeSafetensors() aligns the data and pads the header with spaces", () => {
  const bytes = encodeSafetensors(TENSORS);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assertEquals(length % 8, 0);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  for (const [name, { data }] of TENSORS) {
    assertEquals(header[name].data_offsets[0] % data.BYTES_PER_ELEMENT, 0, name);
  }
  assertEquals(header.weight.dtype, "F32");
});

Deno.test("encodeSafetensors() refuses elements that do not fill the shape", () => {
  const tensors = new Map([["w", { shape: [2, 2], data: new Float32Array(3) }]]);
  assertThrows(() => encodeSafetensors(tensors), RangeError, "3 elements for 'w' of [2,2]");
});

Deno.test("decodeSafetensors() refuses every truncation", () => {
  const bytes = encodeSafetensors(TENSORS, { a: "b" });
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => decodeSafetensors(bytes.slice(0, length)), SyntaxError, "Cannot read");
  }
});

Deno.test("decodeSafetensors() refuses holes, overlaps, wrong sizes and unknown types", () => {
  const entry = (begin: number, end: number, size = 1) => ({
    dtype: "F32",
    shape: [size],
    data_offsets: [begin, end],
  });
  const bad = [
    file([], 0),
    file({ w: null }),
    file({ w: { dtype: "F32", shape: [-1], data_offsets: [0, 4] } }, 4),
    file({ w: entry(4, 8) }, 8),
    file({ a: entry(0, 4), b: entry(0, 4) }, 4),
    file({ w: entry(0, 8) }, 8),
    file({ w: entry(0, 4) }, 8),
  ];
  for (const bytes of bad) assertThrows(() => decodeSafetensors(bytes), SyntaxError, "Cannot read");
  const bool = file({ w: { dtype: "BOOL", shape: [4], data_offsets: [0, 4] } }, 4);
  assertThrows(() => decodeSafetensors(bool), TypeError, "'w' is of type BOOL");
});

Deno.test("decodeSafetensors() widens floats of 16 bits", () => {
  const bytes = file({
    half: { dtype: "F16", shape: [2], data_offsets: [0, 4] },
    brain: { dtype: "BF16", shape: [2], data_offsets: [4, 8] },
  }, 8);
  bytes.set([0x00, 0x3e, 0x01, 0x80, 0xc0, 0x3f, 0x80, 0xff], bytes.length - 8);
  const { tensors } = decodeSafetensors(bytes);
  assertEquals(tensors.get("half")!.data, Float32Array.of(1.5, -(2 ** -24)));
  assertEquals(tensors.get("brain")!.data, Float32Array.of(1.5, -Infinity));
});
