/**
 * Genotypes in the Python form that P-DARTS users paste into their `genotypes.py`:
 *
 *     Genotype(normal=[('skip_connect', 0), ...], normal_concat=range(2, 6), reduce=[...], ...)
 *
 * Reading is by a strict grammar of that one expression (a name, four keyword arguments,
 * lists of pairs, lists of integers or a range); nothing is evaluated.
 */

import { validateGenotype } from "./genotype_json.ts";
import type { Genotype, GenotypeEntry } from "./genotypes.ts";

/** Python's argument names and ours. */
const PARTS = new Map([
  ["normal", "normal"],
  ["normal_concat", "normalConcat"],
  ["reduce", "reduce"],
  ["reduce_concat", "reduceConcat"],
]);

/**
 * A genotype as a Python expression on one line. A contiguous concat is written as
 * `range(first, end)`, another as a list.
 */
export function formatPython(genotype: Genotype): string {
  const { normal, normalConcat, reduce, reduceConcat } = genotype;
  return `Genotype(normal=${formatEntries(normal)}, normal_concat=${formatConcat(normalConcat)}, ` +
    `reduce=${formatEntries(reduce)}, reduce_concat=${formatConcat(reduceConcat)})`;
}

function formatEntries(entries: readonly GenotypeEntry[]): string {
  return `[${entries.map(([primitive, source]) => `('${primitive}', ${source})`).join(", ")}]`;
}

function formatConcat(states: readonly number[]): string {
  const first = states[0];
  const contiguous = states.every((state, index) => state === first + index);
  return contiguous ? `range(${first}, ${first + states.length})` : `[${states.join(", ")}]`;
}

/**
 * Reads the Python form. White space, line breaks, `#` comments, trailing commas, either
 * kind of quote, an assignment in front (`PDARTS = Genotype(...)`), and any order of the
 * four arguments are understood.
 *
 * @throws {SyntaxError} when the text is not one such expression; names the position
 * @throws {TypeError} when a part is missing or has the wrong form
 * @throws {RangeError} when a primitive is unknown, or a source or concat state is out of range
 */
export function parsePython(text: string): Genotype {
  const reader: Reader = new Reader(text);
  if (reader.peekAhead(1) === "=") {
    reader.name();
    reader.expect("=");
  }
  reader.expect("Genotype");
  reader.expect("(");
  const parts = new Map<string, unknown>();
  while (reader.peek() !== ")") {
    const key = reader.name();
    const part = PARTS.get(key);
    if (!part) reader.fail(`unknown argument '${key}'`);
    if (parts.has(part)) reader.fail(`'${key}' is given twice`);
    reader.expect("=");
    parts.set(part, part.endsWith("Concat") ? readConcat(reader) : readEntries(reader));
    if (!reader.accept(",")) break;
  }
  reader.expect(")");
  if (reader.peek() !== undefined) reader.fail(`'${reader.peek()}' after the genotype`);
  return validateGenotype(Object.fromEntries(parts));
}

function readEntries(reader: Reader): unknown[] {
  return readList(reader, () => {
    reader.expect("(");
    const primitive = reader.string();
    reader.expect(",");
    const source = reader.integer();
    reader.accept(",");
    reader.expect(")");
    return [primitive, source];
  });
}

function readConcat(reader: Reader): number[] {
  if (reader.peek() !== "range") return readList(reader, () => reader.integer());
  reader.expect("range");
  reader.expect("(");
  const first = reader.integer();
  reader.expect(",");
  const end = reader.integer();
  reader.expect(")");
  if (end - first > 1000) reader.fail(`range(${first}, ${end}) is too long`);
  return Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
}

function readList<T>(reader: Reader, item: () => T): T[] {
  const items: T[] = [];
  reader.expect("[");
  while (reader.peek() !== "]") {
    items.push(item());
    if (!reader.accept(",")) break;
  }
  reader.expect("]");
  return items;
}

/** The tokens of the expression, one at a time, with positions for messages. */
class Reader {
  readonly #tokens: { text: string; line: number }[] = [];
  #next = 0;

  constructor(text: string) {
    const pattern = /\s+|#[^\n]*|([A-Za-z_]\w*|-?\d+|'[^'\n]*'|"[^"\n]*"|[()[\],=])/y;
    let line = 1;
    while (pattern.lastIndex < text.length) {
      const start = pattern.lastIndex;
      const match = pattern.exec(text);
      if (!match) {
        throw new SyntaxError(
          `Cannot read a Python genotype: unexpected '${text[start]}' in line ${line}`,
        );
      }
      if (match[1] !== undefined) this.#tokens.push({ text: match[1], line });
      line += match[0].split("\n").length - 1;
    }
  }

  peek(): string | undefined {
    return this.peekAhead(0);
  }

  peekAhead(distance: number): string | undefined {
    return this.#tokens[this.#next + distance]?.text;
  }

  accept(text: string): boolean {
    const found = this.peek() === text;
    if (found) this.#next++;
    return found;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.#expected(`'${text}'`);
  }

  name(): string {
    return this.#take(/^[A-Za-z_]\w*$/, "a name");
  }

  string(): string {
    return this.#take(/^['"]/, "a quoted primitive").slice(1, -1);
  }

  integer(): number {
    return Number(this.#take(/^-?\d+$/, "an integer"));
  }

  fail(message: string): never {
    const last = Math.min(this.#next, this.#tokens.length - 1);
    const line = this.#tokens[last]?.line ?? 1;
    throw new SyntaxError(`Cannot read a Python genotype: ${message} in line ${line}`);
  }

  #take(pattern: RegExp, what: string): string {
    const text = this.peek();
    if (text === undefined || !pattern.test(text)) this.#expected(what);
    this.#next++;
    return text;
  }

  #expected(what: string): never {
    const found = this.peek();
    return this.fail(`expected ${what}, got ${found === undefined ? "the end" : found}`);
  }
}
