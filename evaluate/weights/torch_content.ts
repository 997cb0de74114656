/** What both of PyTorch's file formats hold: a pickled value, and the storages that it refers to. */

import type { TorchItem } from "./torch_pickle.ts";
import type { TorchStorage } from "./torch_tensors.ts";

/** An opened file. */
export interface TorchContent {
  /** The object that was saved. */
  readonly value: TorchItem;
  /** Whether the storages' numbers have their highest byte first. */
  readonly bigEndian: boolean;
  /** The bytes of a storage, as many as it takes. */
  readonly bytesOf: (storage: TorchStorage) => Promise<Uint8Array>;
}
