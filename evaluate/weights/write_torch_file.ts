/**
 * Writes a state dict as a file that PyTorch loads: a zip archive for torch 1.6 and later, or the format
 * before it, which every torch since 0.4 loads.
 *
 * In the archive each storage begins at a multiple of 64 bytes, as PyTorch aligns them, by padding in
 * the extra field of its entry. Source: caffe2/serialize/inline_container.h, torch/serialization.py.
 */

import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { replaceFile } from "../../nn/run_files.ts";
import type { HostData } from "../../nn/safetensors.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import { LEGACY_START, LEGACY_VERSION } from "./torch_legacy.ts";
import { pickleStateDict, PickleWriter } from "./torch_pickle_writer.ts";

/** The format of a file. */
export type TorchFormat = "zip" | "legacy";

const FOLDER = "archive";
/** PyTorch's version of the archive's layout. */
const ZIP_VERSION = "3\n";
const ALIGNMENT = 64;
/** Bytes of an entry's header without its name, and of an extra field without its content. */
const ENTRY_HEADER = 30, EXTRA_HEADER = 4;
/** The extra field that PyTorch pads with, "FB". */
const PADDING_FIELD = 0x4246;
/** The first moment that a zip archive can express, so that equal weights make equal files. */
const NO_DATE = new Date(1980, 0, 1);

function bytesOf({ buffer, byteOffset, byteLength }: HostData): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The entries of the archive, in PyTorch's order. */
function* entriesOf(dict: StateDict): Generator<[name: string, bytes: Uint8Array<ArrayBuffer>]> {
  const text = new TextEncoder();
  yield ["data.pkl", pickleStateDict(dict, { legacy: false })];
  yield ["byteorder", text.encode("little")];
  let index = 0;
  for (const { data } of dict.values()) yield [`data/${index++}`, bytesOf(data)];
  yield ["version", text.encode(ZIP_VERSION)];
}

async function encodeZip(dict: StateDict): Promise<Uint8Array<ArrayBuffer>> {
  const options = { level: 0, dataDescriptor: false, extendedTimestamp: false };
  const writer = new ZipWriter(new Uint8ArrayWriter(), { ...options, useWebWorkers: false });
  let at = 0;
  for (const [name, bytes] of entriesOf(dict)) {
    const path = `${FOLDER}/${name}`;
    const unpadded = at + ENTRY_HEADER + path.length + EXTRA_HEADER;
    const padding = new Uint8Array((ALIGNMENT - unpadded % ALIGNMENT) % ALIGNMENT);
    await writer.add(path, new Uint8ArrayReader(bytes), {
      lastModDate: NO_DATE,
      extraField: new Map([[PADDING_FIELD, padding]]),
    });
    at = unpadded + padding.length + bytes.length;
  }
  return await writer.close();
}

function encodeLegacy(dict: StateDict): Uint8Array<ArrayBuffer> {
  const machine = new PickleWriter().opcode("}").opcode("(")
    .text("protocol_version").integer(LEGACY_VERSION).text("little_endian").opcode("\x88")
    .opcode("u");
  const keys = new PickleWriter().opcode("]").opcode("(");
  Array.from(dict.keys(), (_, index) => keys.text(`${index}`));
  const storages = [...dict.values()].flatMap(({ data }) => [
    bytesOf(BigInt64Array.of(BigInt(data.length))),
    bytesOf(data),
  ]);
  const parts = [
    LEGACY_START,
    new PickleWriter().integer(LEGACY_VERSION).finish(),
    machine.finish(),
    pickleStateDict(dict, { legacy: true }),
    keys.opcode("e").finish(),
    ...storages,
  ];
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * A state dict as the bytes of a file of PyTorch's.
 *
 * @param format Default zip.
 * @throws {TypeError} If the elements of a tensor are of a type that PyTorch has not.
 */
export async function encodeTorchFile(
  dict: StateDict,
  format: TorchFormat = "zip",
): Promise<Uint8Array<ArrayBuffer>> {
  return format === "zip" ? await encodeZip(dict) : encodeLegacy(dict);
}

/**
 * Writes or replaces a file of PyTorch's.
 *
 * @throws {RunError} If it cannot be written; the former file, if any, is unharmed.
 * @throws {TypeError} If the elements of a tensor are of a type that PyTorch has not.
 */
export async function writeTorchFile(
  path: string,
  dict: StateDict,
  format: TorchFormat = "zip",
): Promise<void> {
  replaceFile(path, await encodeTorchFile(dict, format));
}
