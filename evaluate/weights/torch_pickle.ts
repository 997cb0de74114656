/**
 * The pickles of PyTorch's files: dictionaries, lists, numbers and text, and tensors whose storages lie
 * outside the pickle.
 *
 * Nothing but the names that state dicts and optimiser states are made of is accepted; a tensor is only
 * described here. Source: torch/_utils.py (`_rebuild_*`), torch/serialization.py (`persistent_id`).
 */

import { runPickle } from "../../nn/pickle.ts";
import {
  failPickle,
  type PickleDialect,
  pickledKey,
  pickledText,
  PickleGlobal,
  type PickleItem,
} from "../../nn/pickle_dialect.ts";
import { ELEMENT_TYPES, type StorageType, TorchStorage, TorchTensor } from "./torch_tensors.ts";

/** A value of such a pickle. */
export type TorchItem = PickleItem<TorchStorage | TorchTensor>;

/** The axes that a tensor may have. */
const MAX_RANK = 16;

/** A tuple of sizes or strides. */
function countsOf(item: TorchItem | undefined): number[] {
  if (
    Array.isArray(item) && item.length <= MAX_RANK && item.every((side) => typeof side === "number")
  ) return item;
  return failPickle("a tensor's shape or strides are not a tuple of integers");
}

/** `_rebuild_tensor_v2(storage, offset, shape, strides, ...)`, and what came before it. */
function rebuildTensor([storage, offset, shape, strides]: readonly TorchItem[]): TorchTensor {
  if (!(storage instanceof TorchStorage) || typeof offset !== "number") {
    return failPickle("a tensor has no storage or no offset");
  }
  return new TorchTensor(storage, { offset, shape: countsOf(shape), strides: countsOf(strides) });
}

/** `_rebuild_parameter(tensor, ...)`. */
function rebuildParameter([tensor]: readonly TorchItem[]): TorchTensor {
  return tensor instanceof TorchTensor ? tensor : failPickle("a parameter is not a tensor");
}

/** `OrderedDict()`, or of a list of pairs, as Python 2 pickles it. */
function orderedDictionary([pairs = []]: readonly TorchItem[]): TorchItem {
  if (!Array.isArray(pairs)) return failPickle("an OrderedDict is not made of pairs");
  return new Map(pairs.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) failPickle("an OrderedDict has what is no pair");
    return [pickledKey(pair[0]), pair[1]];
  }));
}

/** The class of a storage by its global, "torch FloatStorage". */
function storageType(item: TorchItem | undefined): StorageType {
  const name = item instanceof PickleGlobal ? item.name.replace("torch ", "") : "";
  return Object.hasOwn(ELEMENT_TYPES, name)
    ? name as StorageType
    : failPickle("a storage has no type that is known");
}

/** ("storage", class, key, device, size), and None for a view in the legacy format. */
function storageOf(id: TorchItem): TorchStorage {
  const [kind, type, name, , size, view] = Array.isArray(id) ? id : [];
  const key = pickledText(name);
  if (pickledText(kind) !== "storage" || key === undefined) {
    return failPickle("it refers to what is not a storage");
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    return failPickle(`storage ${key} has no size`);
  }
  if (view !== undefined && view !== null) return failPickle(`storage ${key} is a part of another`);
  return new TorchStorage(key, storageType(type), size);
}

/** What such a pickle may hold; the storages that it refers to are gathered by their keys. */
function dialectOf(
  storages: Map<string, TorchStorage>,
): PickleDialect<TorchStorage | TorchTensor> {
  return {
    subject: "state dict",
    globals: GLOBALS,
    // The attributes of an OrderedDict, such as a state dict's `_metadata`, hold no weights.
    build(target) {
      if (!(target instanceof Map)) failPickle("it gives a state to what is not a dictionary");
    },
    persistent(id) {
      const storage = storageOf(id), { key, type, size } = storage;
      const known = storages.get(key) ?? storage;
      if (known.type !== type || known.size !== size) failPickle(`storage ${key} is two storages`);
      storages.set(key, known);
      return known;
    },
  };
}

/** The names that occur in state dicts, optimisers' included. */
const GLOBALS: PickleDialect<TorchStorage | TorchTensor>["globals"] = {
  ...Object.fromEntries(Object.keys(ELEMENT_TYPES).map((name) => [`torch ${name}`, undefined])),
  "collections OrderedDict": orderedDictionary,
  "torch._utils _rebuild_tensor": rebuildTensor,
  "torch._utils _rebuild_tensor_v2": rebuildTensor,
  "torch._utils _rebuild_parameter": rebuildParameter,
};

/** What was read of a pickle. */
export interface TorchPickle {
  readonly value: TorchItem;
  /** The storages that it refers to, by key; each is one object. */
  readonly storages: ReadonlyMap<string, TorchStorage>;
  /** The byte after it. */
  readonly end: number;
}

/**
 * Reads one of PyTorch's pickles.
 *
 * @param start The byte at which it begins.
 * @throws {PickleError | WeightsError} If it is truncated or holds what no state dict does.
 */
export function readTorchPickle(bytes: Uint8Array, start = 0): TorchPickle {
  const storages = new Map<string, TorchStorage>();
  return { ...runPickle(bytes, { dialect: dialectOf(storages), start }), storages };
}
