/**
 * PyTorch's file format before 1.6, the default of torch 0.1.10 to 1.5: five pickles one after the
 * other (magic number, version, facts of the machine, the object, the storages' keys), and behind them
 * each storage as a count and its little-endian numbers, in the order of the keys.
 *
 * Source: torch/serialization.py (`_legacy_save`).
 */

import { pickledText } from "../../nn/pickle_dialect.ts";
import type { TorchContent } from "./torch_content.ts";
import { readTorchPickle } from "./torch_pickle.ts";
import type { TorchStorage } from "./torch_tensors.ts";
import { failWeights } from "./weights_error.ts";

/** The first pickle's integer. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
/** The second pickle's integer. */
export const LEGACY_VERSION = 1001;
/** How such a file begins: the pickle of a long of ten bytes, the magic number. */
export const LEGACY_START = Uint8Array.fromHex("80028a0a6cfc9c46f9206aa850192e");

/** Where the storages' bytes lie, by key, from the byte after the pickle of their keys. */
function placesOf(
  bytes: Uint8Array,
  { keys, storages, start }: {
    keys: readonly string[];
    storages: ReadonlyMap<string, TorchStorage>;
    start: number;
  },
): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places = new Map<string, Uint8Array>();
  let at = start;
  for (const key of keys) {
    const storage = storages.get(key) ?? failWeights(`no tensor has its storage ${key}`);
    const end = at + 8 + storage.byteLength;
    if (end > bytes.length) failWeights(`it is truncated in storage ${key}`);
    const size = view.getBigUint64(at, true);
    if (size !== BigInt(storage.size)) {
      failWeights(`storage ${key} has ${size} numbers, and its tensors want ${storage.size}`);
    }
    places.set(key, bytes.subarray(at + 8, end));
    at = end;
  }
  return places;
}

/** Whether a file of these bytes is of this format, whole or not. */
export function isTorchLegacy(bytes: Uint8Array): boolean {
  return LEGACY_START.every((byte, index) => bytes[index] === byte);
}

/**
 * Opens a file of the legacy format.
 *
 * @throws {PickleError | WeightsError} If it is truncated or damaged or holds what no state dict does.
 */
export function openTorchLegacy(bytes: Uint8Array): TorchContent {
  const magic = readTorchPickle(bytes), version = readTorchPickle(bytes, magic.end);
  if (magic.value !== LEGACY_MAGIC || version.value !== LEGACY_VERSION) {
    failWeights("its magic number or version is not PyTorch's");
  }
  const machine = readTorchPickle(bytes, version.end);
  const { value, storages, end } = readTorchPickle(bytes, machine.end);
  const list = readTorchPickle(bytes, end);
  const keys = Array.isArray(list.value) ? list.value.map((key) => pickledText(key)) : [undefined];
  if (!keys.every((key) => key !== undefined)) failWeights("its list of storages holds no keys");
  const places = placesOf(bytes, { keys, storages, start: list.end });
  const bytesOf = ({ key }: TorchStorage) =>
    Promise.resolve(places.get(key) ?? failWeights(`its storage ${key} is missing`));
  return { value, bigEndian: false, bytesOf };
}
