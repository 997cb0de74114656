/** Tests of what the bundle finds of npm's packages in our sources. */

import { fileNameOf, importsIn } from "../../../bench/device/packages.ts";
import { assertEquals } from "../../assert.ts";

Deno.test("importsIn() finds every way to import the packages of an import map, each once", () => {
  const texts = [
    `import * as tf from "tensors";\nexport { cos } from "tensors";\nimport "tensors/gradients.js";`,
    `const asc = await import("compiler/asc");\nimport {\n  decode,\n} from "png";`,
    `import(\n  "painter/all.wasm", { with: { type: "bytes" } });\nimport own from "./png.ts";`,
    `import { join } from "node:path"; import { other } from "pngs";`,
  ];
  assertEquals(importsIn(texts, ["tensors", "compiler/", "png", "painter/"]), {
    modules: ["compiler/asc", "png", "tensors", "tensors/gradients.js"],
    files: ["painter/all.wasm"],
  });
});

Deno.test("fileNameOf() gives each specifier a file of its own in one folder", () => {
  assertEquals(
    ["@scope/name", "std/cli/parse.js", "plain", "@scope/name/all.wasm"].map(fileNameOf),
    ["scope_name.js", "std_cli_parse.js", "plain.js", "scope_name_all.wasm"],
  );
});
