/** Tests of the suggestions behind unknown words. */

import { assertEquals } from "../assert.ts";
import { suggest } from "../../backends/suggest.ts";

const NAMES = ["auto", "cudnn", "webgpu", "cpu"];

Deno.test("suggest() names the known word nearest to a misspelt one", () => {
  assertEquals(suggest("cdunn", NAMES), ' (did you mean "cudnn"?)');
  assertEquals(suggest("WebGPU2", NAMES), ' (did you mean "webgpu"?)');
  assertEquals(suggest("cpuu", NAMES), ' (did you mean "cpu"?)');
  assertEquals(suggest("aut", NAMES), ' (did you mean "auto"?)');
});

Deno.test("suggest() keeps quiet when no known word is near", () => {
  assertEquals(suggest("tensorrt", NAMES), "");
  assertEquals(suggest("x", NAMES), "");
  assertEquals(suggest("cpu", []), "");
});

Deno.test("suggest() takes the first of equally near words", () => {
  assertEquals(suggest("ab", ["aa", "bb"]), ' (did you mean "aa"?)');
});
