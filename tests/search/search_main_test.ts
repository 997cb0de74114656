/** Tests of whole runs that nothing disturbs: what the program says, and options at their ends. */

import { assertEquals, assertStringIncludes } from "../assert.ts";
import { inFolder, programsPermitted, run } from "./program.ts";

const TINY_SEARCH = "tests/search/tiny_search.ts";

/** A search of three stages with one epoch of two steps each. */
const OPTIONS = [
  "--epochs=1",
  "--validation-epochs=1",
  "--layers=3,3,3",
  "--channels=2",
  "--batch=8",
  "--train-images=14",
];

const ignore = !programsPermitted();

function test(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => inFolder(body) });
}

test("a search whose alphas are never trained says so and gives a genotype", async (folder) => {
  const { code, stdout, stderr } = await run(TINY_SEARCH, [...OPTIONS, `--save=${folder}/run`]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stdout,
    "Alphas are not trained: --alpha-from-epoch 10 is not below --epochs 1\n",
  );
  assertStringIncludes(stdout, " (cudnn and webgpu are not part of this version)\n");
  assertStringIncludes(stdout, "Normal cell");
  assertStringIncludes(Deno.readTextFileSync(`${folder}/run/genotype.py`), "Genotype(");
});
