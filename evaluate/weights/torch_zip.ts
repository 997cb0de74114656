/**
 * PyTorch's file format since 1.6: a zip archive of one folder, with the object in `data.pkl`, each
 * storage in `data/<key>`, and the order of bytes in `byteorder` (little-endian where it is missing).
 *
 * Invariants: entries are stored as they are, so that what is unpacked is no more than the file; none
 * overlaps another; and each agrees with its checksum, but where PyTorch was told to write none, which
 * it then gives as 0. Source: caffe2/serialize/inline_container.h.
 */

import { type FileEntry, Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import type { TorchContent } from "./torch_content.ts";
import { readTorchPickle } from "./torch_pickle.ts";
import type { TorchStorage } from "./torch_tensors.ts";
import { failWeights } from "./weights_error.ts";

/** How a zip archive begins. */
const ZIP_START = Uint8Array.of(0x50, 0x4b, 3, 4);
/** Entries that are listed at most; a large network has a few thousand storages. */
const ENTRY_LIMIT = 2 ** 16;
/** Bytes of the pickle at most; a large network's takes half a million. */
const PICKLE_LIMIT = 2 ** 24;
const PICKLE = "data.pkl";

/** Whether a file of these bytes is a zip archive, whole or not. */
export function isZip(bytes: Uint8Array): boolean {
  return ZIP_START.every((byte, index) => bytes[index] === byte);
}

/** Runs what the library does, and words its failure. */
async function attemptZip<T>(what: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    return failWeights(`${what} is truncated or damaged: ${(error as Error).message}`);
  }
}

/** The entries by name, folders left out. */
async function listEntries(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, FileEntry>> {
  const entries = new Map<string, FileEntry>();
  const reader = new ZipReader(new Uint8ArrayReader(bytes), { useWebWorkers: false });
  for await (const entry of reader.getEntriesGenerator()) {
    if (entries.size === ENTRY_LIMIT) failWeights(`it has more than ${ENTRY_LIMIT} entries`);
    if (!entry.directory) entries.set(entry.filename, entry);
  }
  return entries;
}

/** The bytes of an entry. */
function contentOf(entry: FileEntry): Promise<Uint8Array> {
  const { filename, compressionMethod, encrypted, signature } = entry;
  if (compressionMethod !== 0 || encrypted) {
    failWeights(`its entry ${filename} is compressed or encrypted, which PyTorch's are not`);
  }
  return attemptZip(
    `its entry ${filename}`,
    () =>
      entry.getData(new Uint8ArrayWriter(), {
        useWebWorkers: false,
        checkOverlappingEntry: true,
        checkSignature: signature !== 0,
      }),
  );
}

/**
 * Opens a file of the zip format.
 *
 * @throws {PickleError | WeightsError} If it is truncated or damaged or holds what no state dict does.
 */
export async function openTorchZip(bytes: Uint8Array<ArrayBuffer>): Promise<TorchContent> {
  const entries = await attemptZip("its zip archive", () => listEntries(bytes));
  const pickleEntry = entries.values().find(({ filename }) => filename.endsWith(`/${PICKLE}`)) ??
    failWeights(`it is a zip archive without ${PICKLE}, not a file of PyTorch's`);
  if (pickleEntry.uncompressedSize > PICKLE_LIMIT) {
    failWeights(`its ${PICKLE} takes ${pickleEntry.uncompressedSize} bytes`);
  }
  const folder = pickleEntry.filename.slice(0, -PICKLE.length);
  const order = entries.get(`${folder}byteorder`);
  const byteOrder = order && new TextDecoder().decode(await contentOf(order));
  const bytesOf = async (storage: TorchStorage) => {
    const { key, byteLength } = storage;
    const entry = entries.get(`${folder}data/${key}`) ??
      failWeights(`its storage ${key} is missing`);
    if (entry.uncompressedSize !== byteLength) {
      failWeights(
        `storage ${key} has ${entry.uncompressedSize} bytes, and its tensors want ${byteLength}`,
      );
    }
    return await contentOf(entry);
  };
  const { value } = readTorchPickle(await contentOf(pickleEntry));
  return { value, bigEndian: byteOrder === "big", bytesOf };
}
