/**
 * Reads Python's pickles without running anything.
 *
 * A pickle is a program for a stack machine that may call any Python function. This machine calls none:
 * it knows the opcodes that Python 2's and 3's picklers write with protocol 2, and a dialect says which
 * names of Python's may occur in its files and what they stand for. All else is an error.
 *
 * Invariants: nothing recurses, and memory and time are linear in the bytes read and bounded by
 * {@linkcode OPCODE_LIMIT}. What is returned may contain itself, as a list may in Python.
 * Source: CPython's Lib/pickletools.py (opcodes).
 */

import {
  failPickle,
  type PickleDialect,
  pickledKey,
  PickleGlobal,
  type PickleItem,
} from "./pickle_dialect.ts";

/** The most opcodes of one pickle: thirty times what the weights and momenta of a large network take. */
export const OPCODE_LIMIT = 2 ** 20;

const ascii = new TextDecoder("latin1"), utf8 = new TextDecoder();

/** The number of a little-endian two's complement. */
function longOf(bytes: Uint8Array): number | bigint {
  const size = bytes.length * 8;
  const unsigned = bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
  const value = BigInt.asIntN(size, unsigned), number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The stack machine. */
class PickleMachine<T extends object> {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #dialect: PickleDialect<T>;
  readonly #memo = new Map<number, PickleItem<T>>();
  /** Stacks set aside at a MARK. */
  readonly #outer: PickleItem<T>[][] = [];
  #stack: PickleItem<T>[] = [];
  #at: number;

  constructor(bytes: Uint8Array, { dialect, start }: { dialect: PickleDialect<T>; start: number }) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#dialect = dialect;
    this.#at = start;
  }

  /** Runs to STOP; `end` is the byte after it. */
  run(): { value: PickleItem<T>; end: number } {
    if (this.#uint(1) !== 0x80 || this.#uint(1) !== 2) {
      failPickle("it is not a pickle of protocol 2");
    }
    for (let count = 0; count < OPCODE_LIMIT; count++) {
      const opcode = this.#uint(1);
      if (opcode === 0x2e) return { value: this.#pop(), end: this.#at }; // STOP
      if (!this.#runScalar(opcode) && !this.#runContainer(opcode) && !this.#runObject(opcode)) {
        const code = opcode.toString(16).padStart(2, "0");
        failPickle(
          `byte ${this.#at - 1} is opcode 0x${code}, which no ${this.#dialect.subject} has`,
        );
      }
    }
    return failPickle(`it has more than ${OPCODE_LIMIT} opcodes`);
  }

  #take(length: number): Uint8Array {
    const start = this.#at;
    if (start + length > this.#bytes.length) {
      failPickle(`it is truncated at byte ${this.#bytes.length}`);
    }
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  #uint(width: 1 | 2 | 4): number {
    const start = this.#at;
    this.#take(width);
    if (width === 1) return this.#bytes[start];
    return width === 2 ? this.#view.getUint16(start, true) : this.#view.getUint32(start, true);
  }

  #double(): number {
    this.#take(8);
    return this.#view.getFloat64(this.#at - 8);
  }

  /** The text up to the next line feed. */
  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    return ascii.decode(this.#take((end < 0 ? this.#bytes.length : end) + 1 - this.#at)).trimEnd();
  }

  #decimal(): number {
    const text = this.#line(), value = Number(text);
    return /^-?\d{1,16}$/.test(text) && Number.isSafeInteger(value)
      ? value
      : failPickle(`it has an integer that is none at byte ${this.#at}`);
  }

  #push(item: PickleItem<T>): true {
    this.#stack.push(item);
    return true;
  }

  #pop(): PickleItem<T> {
    if (this.#stack.length === 0) failPickle(`its stack is empty at byte ${this.#at}`);
    return this.#stack.pop()!;
  }

  /** The items since the last MARK. */
  #popMarked(): PickleItem<T>[] {
    const items = this.#stack;
    this.#stack = this.#outer.pop() ?? failPickle(`it has no mark at byte ${this.#at}`);
    return items;
  }

  /** The last `count` items, oldest first. */
  #popSome(count: number): PickleItem<T>[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #append(items: PickleItem<T>[]): true {
    const list = this.#pop();
    if (!Array.isArray(list)) failPickle("it appends to what is not a list");
    for (const item of items) list.push(item);
    return this.#push(list);
  }

  #setItems(pairs: PickleItem<T>[]): true {
    const dictionary = this.#pop();
    if (!(dictionary instanceof Map)) failPickle("it sets items of what is not a dictionary");
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      dictionary.set(pickledKey(pairs[i]), pairs[i + 1]);
    }
    return this.#push(dictionary);
  }

  /** What a call makes, by the dialect. */
  #call(callee: PickleItem<T>, args: PickleItem<T>): PickleItem<T> {
    const name = callee instanceof PickleGlobal ? callee.name : undefined;
    const made = name === undefined ? undefined : this.#dialect.globals[name];
    if (made && Array.isArray(args)) return made(args);
    return failPickle(`it calls ${name ?? "a value"} in a way no ${this.#dialect.subject} does`);
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
      case 0x49: // INT, which Python 2 writes where 32 bits do not suffice
        return this.#push(this.#decimal());
      case 0x8a: // LONG1
        return this.#push(longOf(this.#take(this.#uint(1))));
      case 0x47: // BINFLOAT
        return this.#push(this.#double());
      case 0x55: // SHORT_BINSTRING
        return this.#push(this.#take(this.#uint(1)));
      case 0x54: // BINSTRING
        return this.#push(this.#take(this.#uint(4)));
      case 0x58: // BINUNICODE
        return this.#push(utf8.decode(this.#take(this.#uint(4))));
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

  /** The memo, names and objects. */
  #runObject(opcode: number): boolean {
    const { subject, globals, build, persistent } = this.#dialect;
    switch (opcode) {
      case 0x71: // BINPUT
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#uint(opcode === 0x71 ? 1 : 4), this.#stack.at(-1) ?? null);
        return true;
      case 0x68: // BINGET
      case 0x6a: { // LONG_BINGET
        const item = this.#memo.get(this.#uint(opcode === 0x68 ? 1 : 4));
        return this.#push(
          item === undefined ? failPickle("it recalls what it never stored") : item,
        );
      }
      case 0x63: { // GLOBAL
        const name = `${this.#line()} ${this.#line()}`;
        if (!Object.hasOwn(globals, name)) failPickle(`it names ${name}, which no ${subject} does`);
        return this.#push(new PickleGlobal(name));
      }
      case 0x52: { // REDUCE
        const [callee, args] = this.#popSome(2);
        return this.#push(this.#call(callee, args));
      }
      case 0x62: { // BUILD
        const [target, state] = this.#popSome(2);
        build(target, state);
        return this.#push(target);
      }
      case 0x51: // BINPERSID
        return persistent ? this.#push(persistent(this.#pop())) : false;
      default:
        return false;
    }
  }
}

/**
 * The value of a pickle of protocol 2.
 *
 * @param options.start The byte at which it begins, default 0.
 * @returns the value, and the byte after the pickle
 * @throws {PickleError} If it is truncated or holds anything the dialect does not.
 */
export function runPickle<T extends object>(
  bytes: Uint8Array,
  { dialect, start = 0 }: { dialect: PickleDialect<T>; start?: number },
): { value: PickleItem<T>; end: number } {
  return new PickleMachine(bytes, { dialect, start }).run();
}
