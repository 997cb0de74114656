/**
 * Genotypes as JSON, and the one validation that every written form passes through.
 *
 * Invariant: `fromJson(toJson(g))` equals g, and nothing invalid gets in: what a file holds
 * is checked here once, so that networks may rely on the invariants of `genotypes.ts`.
 */

import { closestString } from "deno-std/text/closest_string.js";
import type { Genotype, GenotypeEntry } from "./genotypes.ts";
import { CELL_INPUTS, GENOTYPE_PRIMITIVES, isGenotypePrimitive } from "./primitives.ts";

/** A genotype as text: four keys, `normal`, `normalConcat`, `reduce`, `reduceConcat`. */
export function toJson(genotype: Genotype): string {
  const { normal, normalConcat, reduce, reduceConcat } = genotype;
  return JSON.stringify({ normal, normalConcat, reduce, reduceConcat });
}

/**
 * Reads a genotype from JSON text.
 *
 * @throws {SyntaxError} when the text is not JSON
 * @throws {TypeError} when a part has another type or form than a genotype's
 * @throws {RangeError} when a primitive is unknown, or a source or concat state is out of range
 */
export function fromJson(text: string): Genotype {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot read a genotype: not JSON, ${(error as Error).message}`);
  }
  return validateGenotype(value);
}

/**
 * Checks that a value of unknown origin is a genotype and copies it.
 *
 * @returns a fresh genotype holding only the four known keys
 * @throws {TypeError} when a part has another type or form than a genotype's
 * @throws {RangeError} when a primitive is unknown, or a source or concat state is out of range
 */
export function validateGenotype(value: unknown): Genotype {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`Cannot read a genotype: got ${show(value)}, not an object`);
  }
  const keys = ["normal", "normalConcat", "reduce", "reduceConcat"];
  const missing = keys.find((key) => !Object.hasOwn(value, key));
  if (missing) throw new TypeError(`Cannot read a genotype: '${missing}' is missing`);
  const extra = Object.keys(value).find((key) => !keys.includes(key));
  if (extra) {
    throw new TypeError(
      `Cannot read a genotype: unknown key '${extra}', did you mean '${
        closestString(extra, keys)
      }'?`,
    );
  }
  const parts = value as Record<string, unknown>;
  const normal = entries(parts.normal, "normal");
  const reduce = entries(parts.reduce, "reduce");
  return {
    normal,
    normalConcat: concat(parts.normalConcat, { key: "normalConcat", nodes: normal.length / 2 }),
    reduce,
    reduceConcat: concat(parts.reduceConcat, { key: "reduceConcat", nodes: reduce.length / 2 }),
  };
}

function entries(value: unknown, key: string): GenotypeEntry[] {
  if (!Array.isArray(value)) {
    throw new TypeError(`Cannot read a genotype: '${key}' is ${show(value)}, not a list`);
  }
  if (value.length === 0 || value.length % 2 !== 0) {
    throw new TypeError(
      `Cannot read a genotype: '${key}' has ${value.length} entries, not two for each node`,
    );
  }
  return value.map((item, index) => entry(item, { key, index }));
}

function entry(value: unknown, { key, index }: { key: string; index: number }): GenotypeEntry {
  const where = `'${key}' entry ${index}`;
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== "string") {
    throw new TypeError(
      `Cannot read a genotype: ${where} is ${show(value)}, not a pair of primitive and source`,
    );
  }
  const [primitive, source] = value;
  if (!isGenotypePrimitive(primitive)) {
    const hint = closestString(primitive, GENOTYPE_PRIMITIVES);
    throw new RangeError(
      `Cannot read a genotype: ${where} names the unknown primitive '${primitive}', ` +
        `did you mean '${hint}'?`,
    );
  }
  const node = index >> 1;
  const last = CELL_INPUTS + node - 1;
  if (!Number.isInteger(source) || source < 0 || source > last) {
    throw new RangeError(
      `Cannot read a genotype: ${where} reads state ${show(source)}, ` +
        `but node ${node} can read states 0..${last}`,
    );
  }
  return [primitive, source];
}

function concat(value: unknown, { key, nodes }: { key: string; nodes: number }): number[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError(
      `Cannot read a genotype: '${key}' is ${show(value)}, not a list of one state or more`,
    );
  }
  const last = CELL_INPUTS + nodes - 1;
  value.forEach((state, index) => {
    if (!Number.isInteger(state) || state < CELL_INPUTS || state > last) {
      throw new RangeError(
        `Cannot read a genotype: '${key}' names state ${show(state)}, ` +
          `but the nodes are states ${CELL_INPUTS}..${last}`,
      );
    }
    if (index > 0 && state <= value[index - 1]) {
      throw new RangeError(`Cannot read a genotype: '${key}' is ${show(value)}, not ascending`);
    }
  });
  return [...value];
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? text.slice(0, 57) + "..." : text;
}
