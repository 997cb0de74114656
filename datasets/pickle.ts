/**
 * Reads the pickles of the CIFAR python archives: dictionaries of strings, integers, lists, uint8 arrays.
 *
 * A pickle is a program for a stack machine that may call any Python function. This reader calls none: it
 * knows the opcodes that Python 2's cPickle wrote with protocol 2, and of functions only the three names
 * that rebuild a numpy array, which it interprets itself. All else is an error.
 * Sources: CPython's Lib/pickletools.py (opcodes), numpy's `ndarray.__reduce__` (array state).
 */

/** An array of uint8 as numpy pickles it. */
export interface PickledArray {
  shape: number[];
  /** Row-major values; a view of the pickle's bytes where they are stored so. */
  data: Uint8Array;
}

/** What such a pickle may hold. */
export type PickledValue =
  | null
  | boolean
  | number
  | string
  | PickledValue[]
  | Map<string, PickledValue>
  | PickledArray;

/**
 * A value on the stack: strings stay bytes until the end, since an array's data is a string to the
 * pickle; an `array` is filled by BUILD, a `global` is a name of Python's, a `dtype` a numpy type.
 */
type Item =
  | null
  | boolean
  | number
  | Uint8Array
  | Item[]
  | Map<string, Item>
  | { array?: PickledArray }
  | { global: string }
  | { dtype: string };

const RECONSTRUCT = "numpy.core.multiarray _reconstruct";
const NDARRAY = "numpy ndarray";
const DTYPE = "numpy dtype";
const GLOBALS = [RECONSTRUCT, NDARRAY, DTYPE];

/** Nesting allowed in a value; a data set's is 2, and a list may contain itself. */
const MAX_DEPTH = 8;

/** The strings of these files are ASCII. */
const ascii = new TextDecoder("latin1");

/** Raised with what is wrong, without the file's name, which the caller knows. */
export class PickleError extends Error {
  override readonly name = "PickleError";
}

function fail(what: string): never {
  throw new PickleError(what);
}

/** The item's name of this kind, if it has one. */
function nameOf(item: Item | undefined, kind: "global" | "dtype"): string | undefined {
  return item !== null && typeof item === "object" && kind in item
    ? (item as Record<typeof kind, string>)[kind]
    : undefined;
}

/** Row-major values of a column-major matrix. */
function transposed(data: Uint8Array, [rows, columns]: number[]): Uint8Array {
  const result = new Uint8Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[row * columns + column] = data[column * rows + row];
    }
  }
  return result;
}

/** The array of a (version, shape, dtype, is column-major, bytes) state. */
function arrayOfState(state: Item): PickledArray {
  const [, shape, dtype, columnMajor, data] = Array.isArray(state) ? state : [];
  if (nameOf(dtype, "dtype") !== "u1") fail("an array is not of uint8");
  if (!Array.isArray(shape) || !shape.every((side) => typeof side === "number")) {
    fail("an array's shape is not a tuple of integers");
  }
  const size = shape.reduce((product, side) => product * side, 1);
  if (!(data instanceof Uint8Array) || data.length !== size) {
    fail(`an array of shape [${shape}] does not hold ${size} bytes`);
  }
  if (columnMajor !== true) return { shape, data };
  if (shape.length !== 2) fail("a column-major array is not a matrix");
  return { shape, data: transposed(data, shape) };
}

/** What calling a function by its name makes; only the two that make arrays are known. */
function reduced(callee: Item, argument: Item): Item {
  const [first] = Array.isArray(argument) ? argument : [];
  const name = nameOf(callee, "global");
  if (name === RECONSTRUCT && nameOf(first, "global") === NDARRAY) return { array: undefined };
  if (name === DTYPE && first instanceof Uint8Array) return { dtype: ascii.decode(first) };
  return fail(`it calls ${name ?? "a value"} in a way no data set does`);
}

/** The finished value of a stack item. */
function finished(item: Item, depth = 0): PickledValue {
  if (depth > MAX_DEPTH) fail(`it nests deeper than ${MAX_DEPTH}`);
  if (item === null || typeof item !== "object") return item;
  if (item instanceof Uint8Array) return ascii.decode(item);
  if (Array.isArray(item)) return item.map((part) => finished(part, depth + 1));
  if (item instanceof Map) {
    return new Map(Array.from(item, ([key, value]) => [key, finished(value, depth + 1)]));
  }
  if ("array" in item && item.array) return item.array;
  return fail("it holds an unfinished array");
}

/** The stack machine. */
class PickleMachine {
  readonly #bytes: Uint8Array;
  readonly #memo = new Map<number, Item>();
  /** Stacks set aside at a MARK. */
  readonly #outer: Item[][] = [];
  #stack: Item[] = [];
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Runs to STOP and returns the top of the stack. */
  run(): Item {
    if (this.#uint(1) !== 0x80 || this.#uint(1) !== 2) fail("it is not a pickle of protocol 2");
    for (;;) {
      const opcode = this.#uint(1);
      if (opcode === 0x2e) return this.#pop(); // STOP
      if (!this.#runScalar(opcode) && !this.#runContainer(opcode) && !this.#runObject(opcode)) {
        fail(`byte ${this.#at - 1} is opcode 0x${opcode.toString(16)}, which no data set has`);
      }
    }
  }

  #take(length: number): Uint8Array {
    this.#at += length;
    if (this.#at > this.#bytes.length) fail(`it is truncated at byte ${this.#bytes.length}`);
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #uint(width: 1 | 2 | 4): number {
    return this.#take(width).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  /** The text up to the next line feed. */
  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    return ascii.decode(this.#take((end < 0 ? this.#bytes.length : end) + 1 - this.#at)).trimEnd();
  }

  #push(item: Item): true {
    this.#stack.push(item);
    return true;
  }

  #pop(): Item {
    if (this.#stack.length === 0) fail(`its stack is empty at byte ${this.#at}`);
    return this.#stack.pop()!;
  }

  /** The items since the last MARK. */
  #popMarked(): Item[] {
    const items = this.#stack;
    this.#stack = this.#outer.pop() ?? fail(`it has no mark at byte ${this.#at}`);
    return items;
  }

  /** The last `count` items, oldest first. */
  #popSome(count: number): Item[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #append(items: Item[]): true {
    const list = this.#pop();
    if (!Array.isArray(list)) fail("it appends to what is not a list");
    for (const item of items) list.push(item);
    return this.#push(list);
  }

  #setItems(pairs: Item[]): true {
    const dictionary = this.#pop();
    if (!(dictionary instanceof Map)) fail("it sets items of what is not a dictionary");
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const key = pairs[i];
      if (!(key instanceof Uint8Array)) fail("a dictionary has a key that is not a string");
      dictionary.set(ascii.decode(key), pairs[i + 1]);
    }
    return this.#push(dictionary);
  }

  /** Constants: pushes one if the opcode is of this group. */
  #runScalar(opcode: number): boolean {
    switch (opcode) {
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(this.#uint(1));
      case 0x4d: // BININT2
        return this.#push(this.#uint(2));
      case 0x4a: // BININT, signed
        return this.#push(this.#uint(4) | 0);
      case 0x55: // SHORT_BINSTRING
        return this.#push(this.#take(this.#uint(1)));
      case 0x54: // BINSTRING
        return this.#push(this.#take(this.#uint(4)));
      default:
        return false;
    }
  }

  /** Lists, tuples and dictionaries. */
  #runContainer(opcode: number): boolean {
    switch (opcode) {
      case 0x28: // MARK
        this.#outer.push(this.#stack);
        this.#stack = [];
        return true;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        return this.#push([]);
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(this.#popSome(opcode - 0x84));
      case 0x74: // TUPLE
        return this.#push(this.#popMarked());
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popMarked());
      case 0x73: // SETITEM
        return this.#setItems(this.#popSome(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popMarked());
      default:
        return false;
    }
  }

  /** The memo, names and arrays. */
  #runObject(opcode: number): boolean {
    switch (opcode) {
      case 0x71: // BINPUT
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#uint(opcode === 0x71 ? 1 : 4), this.#stack.at(-1) ?? null);
        return true;
      case 0x68: // BINGET
      case 0x6a: { // LONG_BINGET
        const item = this.#memo.get(this.#uint(opcode === 0x68 ? 1 : 4));
        return this.#push(item === undefined ? fail("it recalls what it never stored") : item);
      }
      case 0x63: { // GLOBAL
        const global = `${this.#line()} ${this.#line()}`;
        if (!GLOBALS.includes(global)) fail(`it names ${global}, which no data set does`);
        return this.#push({ global });
      }
      case 0x52: { // REDUCE
        const [callee, argument] = this.#popSome(2);
        return this.#push(reduced(callee, argument));
      }
      case 0x62: { // BUILD
        const [target, state] = this.#popSome(2);
        if (target !== null && typeof target === "object" && "array" in target) {
          target.array = arrayOfState(state);
        } else if (nameOf(target, "dtype") === undefined) fail("it builds what is not an array");
        return this.#push(target);
      }
      default:
        return false;
    }
  }
}

/**
 * The value a pickle holds.
 *
 * @param bytes A pickle of protocol 2 as in the CIFAR python archives.
 * @throws {PickleError} If it is truncated or holds anything a data set does not.
 */
export function readPickle(bytes: Uint8Array): PickledValue {
  return finished(new PickleMachine(bytes).run());
}
