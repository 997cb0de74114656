/**
 * What a pickle may hold, and what a kind of file allows of it: the values that `pickle.ts` reads, and
 * the dialect that says which names of Python's may occur and what they stand for.
 */

/** Strings of Python 2, which are bytes; those of names are ASCII. */
const ascii = new TextDecoder("latin1");

/** A name of Python's that the dialect allows, "module name". */
export class PickleGlobal {
  /** Of the module and the name in it. */
  constructor(readonly name: string) {}
}

/** A key of a dictionary; an integer past 2^53 is a bigint. */
export type PickleKey = string | number | bigint;

/** A dictionary, in its order. */
export type PickleDictionary<T extends object> = Map<PickleKey, PickleItem<T>>;

/** A value; tuples are lists, a string of Python 2 is its bytes, and T are the dialect's own objects. */
export type PickleItem<T extends object> =
  | null
  | boolean
  | PickleKey
  | Uint8Array
  | PickleGlobal
  | PickleItem<T>[]
  | PickleDictionary<T>
  | T;

/** What calling a name makes. */
export type PickleFunction<T extends object> = (args: readonly PickleItem<T>[]) => PickleItem<T>;

/** What one kind of file may hold. */
export interface PickleDialect<T extends object> {
  /** The kind of file, for messages. */
  readonly subject: string;
  /** The names that may occur, "module name", and what a call of them makes where they may be called. */
  readonly globals: Readonly<Record<string, PickleFunction<T> | undefined>>;
  /** Gives an object its state. */
  readonly build: (target: PickleItem<T>, state: PickleItem<T>) => void;
  /** The object kept outside the pickle under this id; absent where no file has one. */
  readonly persistent?: (id: PickleItem<T>) => T;
}

/** Raised with what is wrong, without the file's name, which the caller knows. */
export class PickleError extends Error {
  override readonly name = "PickleError";
}

/** Throws a {@linkcode PickleError}. */
export function failPickle(what: string): never {
  throw new PickleError(what);
}

/** The text of a string of Python 2 or 3; undefined for other values. */
export function pickledText<T extends object>(item: PickleItem<T> | undefined): string | undefined {
  if (item instanceof Uint8Array) return ascii.decode(item);
  return typeof item === "string" ? item : undefined;
}

/** A key of a dictionary from its item. */
export function pickledKey<T extends object>(item: PickleItem<T> | undefined): PickleKey {
  const key = pickledText(item) ?? item;
  if (typeof key === "string" || typeof key === "number" || typeof key === "bigint") return key;
  return failPickle("a dictionary has a key that is neither a string nor a number");
}
