/**
 * Reads the state dict in a file that `torch.save` wrote, in either of its formats. Nothing in the file
 * is executed, and the memory taken is bounded by the file's size.
 */

import type { HostData, HostTensor } from "../../nn/safetensors.ts";
import { findStateDict } from "./find_state_dict.ts";
import type { TorchContent } from "./torch_content.ts";
import { isTorchLegacy, openTorchLegacy } from "./torch_legacy.ts";
import type { TorchStorage, TorchTensor } from "./torch_tensors.ts";
import { isZip, openTorchZip } from "./torch_zip.ts";
import { failWeights } from "./weights_error.ts";

/** Whether a file of these bytes is one of PyTorch's, whole or not. */
export function isTorchFile(bytes: Uint8Array): boolean {
  return isZip(bytes) || isTorchLegacy(bytes);
}

/** Reads the tensors' numbers; each storage is read once. */
async function gatherAll(
  tensors: ReadonlyMap<string, TorchTensor>,
  { bigEndian, bytesOf }: TorchContent,
): Promise<Map<string, HostTensor>> {
  const storages = new Map<TorchStorage, HostData>();
  const gathered = new Map<string, HostTensor>();
  for (const [name, tensor] of tensors) {
    const { storage } = tensor;
    const numbers = storages.get(storage) ??
      storage.numbers(await bytesOf(storage), { bigEndian });
    storages.set(storage, numbers);
    gathered.set(name, tensor.gather(numbers));
  }
  return gathered;
}

/**
 * The tensors of the state dict in a file of PyTorch's, by the file's names, in its order.
 *
 * Half floats and bfloat16 become float32, int8 and int16 become int32, booleans bytes.
 *
 * @throws {PickleError | WeightsError} If it is truncated or damaged, or holds what no state dict does.
 */
export async function decodeTorchFile(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Map<string, HostTensor>> {
  const content = isZip(bytes) ? await openTorchZip(bytes) : openTorchLegacy(bytes);
  const tensors = findStateDict(content.value);
  const size = tensors.values().reduce((sum, tensor) => sum + tensor.size, 0);
  // Every number takes a byte at least, unless tensors share their storages without end.
  if (size > bytes.length) {
    failWeights(`its tensors show ${size} numbers, more than its ${bytes.length} bytes hold`);
  }
  return await gatherAll(tensors, content);
}
