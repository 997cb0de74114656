/**
 * Reads the pickles of the CIFAR python archives: dictionaries of strings, integers, lists, uint8 arrays.
 *
 * The names of Python's in them are the three that rebuild a numpy array, interpreted here; all others
 * are refused, see `nn/pickle.ts`. Source: numpy's `ndarray.__reduce__` (array state).
 */

import { runPickle } from "../nn/pickle.ts";
import {
  failPickle,
  type PickleDialect,
  pickledText,
  PickleGlobal,
  type PickleItem,
} from "../nn/pickle_dialect.ts";

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

/** Numpy's objects: an `array`, which BUILD fills, and a `dtype`. */
type NumpyObject = { array?: PickledArray } | { dtype: string };

type Item = PickleItem<NumpyObject>;

/** Nesting allowed in a value; a data set's is 2, and a list may contain itself. */
const MAX_DEPTH = 8;

/** The item as an object of numpy's, if it is one. */
function numpyObject(item: Item | undefined): NumpyObject | undefined {
  const plain = item === null || typeof item !== "object" || item instanceof Uint8Array ||
    item instanceof PickleGlobal || item instanceof Map || Array.isArray(item);
  return plain ? undefined : item;
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
  const [, shape, type, columnMajor, data] = Array.isArray(state) ? state : [];
  const object = numpyObject(type);
  if (!object || !("dtype" in object) || object.dtype !== "u1") {
    failPickle("an array is not of uint8");
  }
  if (!Array.isArray(shape) || !shape.every((side) => typeof side === "number")) {
    failPickle("an array's shape is not a tuple of integers");
  }
  const size = shape.reduce((product, side) => product * side, 1);
  if (!(data instanceof Uint8Array) || data.length !== size) {
    failPickle(`an array of shape [${shape}] does not hold ${size} bytes`);
  }
  if (columnMajor !== true) return { shape, data };
  if (shape.length !== 2) failPickle("a column-major array is not a matrix");
  return { shape, data: transposed(data, shape) };
}

/** What numpy's `_reconstruct` makes: an array that is still empty. */
function emptyArray([type]: readonly Item[]): NumpyObject {
  if (type instanceof PickleGlobal && type.name === "numpy ndarray") return { array: undefined };
  return failPickle("it calls numpy.core.multiarray _reconstruct in a way no data set does");
}

const NUMPY: PickleDialect<NumpyObject> = {
  subject: "data set",
  globals: {
    "numpy.core.multiarray _reconstruct": emptyArray,
    "numpy ndarray": undefined,
    "numpy dtype": ([name]) => ({
      dtype: pickledText(name) ?? failPickle("it has a numpy dtype without a name"),
    }),
  },
  build(target, state) {
    const object = numpyObject(target) ?? failPickle("it builds what is not an array");
    if (!("dtype" in object)) object.array = arrayOfState(state);
  },
};

/** The finished value of a stack item. */
function finished(item: Item, depth = 0): PickledValue {
  if (depth > MAX_DEPTH) failPickle(`it nests deeper than ${MAX_DEPTH}`);
  if (item === null || typeof item === "boolean" || typeof item === "number") return item;
  const text = pickledText(item);
  if (text !== undefined) return text;
  if (Array.isArray(item)) return item.map((part) => finished(part, depth + 1));
  if (item instanceof Map) {
    return new Map(Array.from(item, ([key, value]) => {
      if (typeof key !== "string") failPickle("a dictionary has a key that is not a string");
      return [key, finished(value, depth + 1)];
    }));
  }
  const object = numpyObject(item as Item);
  if (object && "array" in object && object.array) return object.array;
  return failPickle("it holds an unfinished array");
}

/**
 * The value a pickle holds.
 *
 * @param bytes A pickle of protocol 2 as in the CIFAR python archives.
 * @throws {PickleError} If it is truncated or holds anything a data set does not.
 */
export function readPickle(bytes: Uint8Array): PickledValue {
  return finished(runPickle(bytes, { dialect: NUMPY }).value);
}
