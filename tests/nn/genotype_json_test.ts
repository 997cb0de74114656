/** Tests of the JSON form of genotypes and of their validation. */

import { assertEquals, assertThrows } from "../assert.ts";
import { fromJson, toJson, validateGenotype } from "../../nn/genotype_json.ts";
import { type Genotype, GENOTYPES, PDARTS } from "../../nn/genotypes.ts";

/** PDARTS with one part replaced. */
function broken(change: Record<string, unknown>): unknown {
  return { ...PDARTS, ...change };
}

/** PDARTS with one entry of its normal cell replaced. */
function brokenEntry(index: number, entry: unknown): unknown {
  return broken({ normal: PDARTS.normal.map((old, i) => i === index ? entry : old) });
}

Deno.test("fromJson() reads what toJson() writes", () => {
  for (const genotype of Object.values(GENOTYPES)) {
    assertEquals(fromJson(toJson(genotype)), genotype);
  }
});

Deno.test("toJson() writes the four known keys alone", () => {
  const withMore = { ...PDARTS, note: "x" } as Genotype;
  assertEquals(Object.keys(JSON.parse(toJson(withMore))), [
    "normal",
    "normalConcat",
    "reduce",
    "reduceConcat",
  ]);
});

Deno.test("fromJson() throws a SyntaxError when the text is not JSON", () => {
  assertThrows(() => fromJson("{normal:"), SyntaxError, "Cannot read a genotype: not JSON");
});

Deno.test("validateGenotype() throws a RangeError with a suggestion when a primitive is unknown", () => {
  assertThrows(
    () => validateGenotype(brokenEntry(1, ["dil_conv3x3", 1])),
    RangeError,
    "'normal' entry 1 names the unknown primitive 'dil_conv3x3', did you mean 'dil_conv_3x3'?",
  );
});

Deno.test("validateGenotype() throws a RangeError when a source is not an earlier state", () => {
  for (const source of [-1, 2, 0.5, "0", null]) {
    assertThrows(
      () => validateGenotype(brokenEntry(0, ["skip_connect", source])),
      RangeError,
      `reads state ${JSON.stringify(source)}, but node 0 can read states 0..1`,
    );
  }
  assertThrows(
    () => validateGenotype(brokenEntry(7, ["skip_connect", 5])),
    RangeError,
    "node 3 can read states 0..4",
  );
});

Deno.test("validateGenotype() throws a TypeError when the count of entries is wrong", () => {
  for (const normal of [[], PDARTS.normal.slice(1)]) {
    assertThrows(
      () => validateGenotype(broken({ normal })),
      TypeError,
      `'normal' has ${normal.length} entries, not two for each node`,
    );
  }
});

Deno.test("validateGenotype() throws a TypeError when an entry is not a pair", () => {
  for (const entry of [null, "skip_connect", ["skip_connect"], [3, 0], ["skip_connect", 0, 1]]) {
    assertThrows(() => validateGenotype(brokenEntry(0, entry)), TypeError, "not a pair");
  }
});

Deno.test("validateGenotype() throws when concat is no ascending list of nodes", () => {
  for (const reduceConcat of [[1, 2], [2, 6], [2.5], [3, 2], [2, 2]]) {
    assertThrows(
      () => validateGenotype(broken({ reduceConcat })),
      RangeError,
      "Cannot read a genotype: 'reduceConcat'",
    );
  }
  for (const reduceConcat of [[], 2, null, "2345"]) {
    assertThrows(
      () => validateGenotype(broken({ reduceConcat })),
      TypeError,
      "Cannot read a genotype: 'reduceConcat'",
    );
  }
});

Deno.test("validateGenotype() throws a TypeError when a key is missing or unknown", () => {
  const { reduce: _, ...rest } = PDARTS;
  assertThrows(() => validateGenotype(rest), TypeError, "'reduce' is missing");
  assertThrows(
    () => validateGenotype(broken({ normalConcatt: [] })),
    TypeError,
    "unknown key 'normalConcatt', did you mean 'normalConcat'?",
  );
});

Deno.test("validateGenotype() throws a TypeError when the value is no object", () => {
  for (const value of [null, undefined, 3, "PDARTS", [PDARTS]]) {
    assertThrows(() => validateGenotype(value), TypeError, "not an object");
  }
});
