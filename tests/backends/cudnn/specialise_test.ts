/** Tests of CUDA C that is compiled once for each value of its constants. */

import { remembered, specialise } from "../../../backends/cudnn/kernels/specialise.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";

const SOURCE =
  "constexpr int KERNEL = 3;\nconstexpr int STRIDE = 1;\nint taps = KERNEL * KERNEL;\n";

Deno.test("specialise() replaces the values of constants", () => {
  const text = specialise(SOURCE, { KERNEL: 5, STRIDE: 2 });
  assertEquals(
    text,
    "constexpr int KERNEL = 5;\nconstexpr int STRIDE = 2;\nint taps = KERNEL * KERNEL;\n",
  );
});

Deno.test("specialise() refuses a constant that the text does not have", () => {
  assertThrows(
    () => specialise(SOURCE, { DILATION: 2 }),
    TypeError,
    "CUDA source has no constant DILATION",
  );
});

Deno.test("remembered() makes one value a key", () => {
  let made = 0;
  const module = remembered((key: string) => ({ key, number: ++made }));
  assert(module("5 1 1") === module("5 1 1"));
  assertEquals(module("3 2 1"), { key: "3 2 1", number: 2 });
});
