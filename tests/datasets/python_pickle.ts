/**
 * Writes pickles byte for byte as Python 2's cPickle did with protocol 2, as in the official archives.
 *
 * The proof is in `pickle_test.ts`: the two official files of class names come out with their published
 * MD5 sums.
 */

/** A uint8 matrix to be pickled as a numpy array. */
export interface Matrix {
  rows: number;
  columns: number;
  /** Row-major values, or column-major ones where `columnMajor` is set. */
  data: Uint8Array;
  columnMajor?: boolean;
}

/** What the official files hold. */
export type Value = number | string | readonly (number | string)[] | Matrix;

const BATCH = 1000;

class PickleWriter {
  readonly #bytes: number[] = [];
  #memo = 0;

  op(code: string | number, ...operands: number[]): this {
    this.#bytes.push(typeof code === "string" ? code.charCodeAt(0) : code);
    for (const operand of operands) this.#bytes.push(operand);
    return this;
  }

  /** Remembers the top of the stack, as cPickle does with every object. */
  put(): this {
    const id = ++this.#memo;
    return id < 256 ? this.op("q", id) : this.op("r", ...this.#uint32(id));
  }

  #uint32(value: number): number[] {
    return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
  }

  int(value: number): this {
    if (value >= 0 && value < 256) return this.op("K", value);
    if (value >= 0 && value < 65536) return this.op("M", value & 255, value >> 8);
    return this.op("J", ...this.#uint32(value));
  }

  bytes(value: Uint8Array): this {
    if (value.length < 256) this.op("U", value.length);
    else this.op("T", ...this.#uint32(value.length));
    for (const byte of value) this.#bytes.push(byte);
    return this.put();
  }

  text(value: string): this {
    return this.bytes(new TextEncoder().encode(value));
  }

  global(module: string, name: string): this {
    return this.op("c", ...new TextEncoder().encode(`${module}\n${name}\n`)).put();
  }

  list(values: readonly (number | string)[]): this {
    this.op("]").put();
    for (let at = 0; at < values.length; at += BATCH) {
      this.op("(");
      for (const value of values.slice(at, at + BATCH)) this.value(value);
      this.op("e");
    }
    return this;
  }

  matrix({ rows, columns, data, columnMajor = false }: Matrix): this {
    this.global("numpy.core.multiarray", "_reconstruct").global("numpy", "ndarray");
    this.int(0).op(0x85).put().text("b").op(0x87).put().op("R").put();
    this.op("(").int(1).int(rows).int(columns).op(0x86).put();
    this.global("numpy", "dtype").text("u1").int(0).int(1).op(0x87).put().op("R").put();
    this.op("(").int(3).text("|").op("N").op("N").op("N").int(-1).int(-1).int(0).op("t").put();
    return this.op("b").op(columnMajor ? 0x88 : 0x89).bytes(data).op("t").put().op("b");
  }

  value(value: Value): this {
    if (typeof value === "number") return this.int(value);
    if (typeof value === "string") return this.text(value);
    return "rows" in value ? this.matrix(value) : this.list(value);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.op(".").#bytes);
  }
}

/** The pickle of a dictionary. */
export function pickleDictionary(entries: Record<string, Value>): Uint8Array<ArrayBuffer> {
  const writer = new PickleWriter().op(0x80, 2).op("}").put().op("(");
  for (const [key, value] of Object.entries(entries)) writer.text(key).value(value);
  return writer.op("u").finish();
}
