/**
 * Finds the state dict in what a training script saved: alone, or wrapped together with the epoch, the
 * optimiser and the like; and drops the prefixes that wrappers of networks put before every name.
 */

import type { TorchItem } from "./torch_pickle.ts";
import { TorchTensor } from "./torch_tensors.ts";
import { failWeights } from "./weights_error.ts";

/** Keys under which scripts save a state dict, most usual first. */
const WRAPPERS = ["state_dict", "model_state_dict", "model", "network", "net", "weights"];
/** Dictionaries that may lie around the state dict. */
const MAX_DEPTH = 4;
/** Prefixes of every name: of torch.nn.DataParallel and of torch.compile. */
const PREFIXES = ["module.", "_orig_mod."];

/** The tensors of a dictionary by name. */
function tensorsOf(dictionary: Map<unknown, TorchItem>): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  for (const [name, value] of dictionary) {
    if (typeof name === "string" && value instanceof TorchTensor) tensors.set(name, value);
  }
  return tensors;
}

function search(value: TorchItem | undefined, depth: number): Map<string, TorchTensor> {
  if (!(value instanceof Map) || depth > MAX_DEPTH) return new Map();
  for (const key of WRAPPERS) {
    const found = search(value.get(key), depth + 1);
    if (found.size > 0) return found;
  }
  return tensorsOf(value);
}

/**
 * The tensors of the state dict in a file, by name, in its order.
 *
 * @throws {WeightsError} If it holds none.
 */
export function findStateDict(value: TorchItem): Map<string, TorchTensor> {
  const found = search(value, 0);
  if (found.size > 0) return found;
  if (!(value instanceof Map)) return failWeights("it does not hold a dictionary of tensors");
  const keys = [...value.keys()].slice(0, 8).join(", ");
  return failWeights(`it holds no state dict; its keys are ${keys || "none"}`);
}

/** The entries without the prefixes that all of their names have. */
export function withoutWrapperPrefixes<T>(entries: ReadonlyMap<string, T>): Map<string, T> {
  let list = [...entries];
  for (let left = MAX_DEPTH; left > 0 && list.length > 0; left--) {
    const prefix = PREFIXES.find((candidate) => list.every(([name]) => name.startsWith(candidate)));
    if (prefix === undefined) break;
    list = list.map(([name, value]) => [name.slice(prefix.length), value]);
  }
  return new Map(list);
}
