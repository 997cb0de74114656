/** Tests of `deno task backends` as a whole program. */

import { BACKEND_NAMES } from "../../backends/contract.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { programsPermitted, run } from "../search/program.ts";

Deno.test({
  name: "the program lists every backend, and refuses what it does not know",
  ignore: !programsPermitted(),
  fn: async () => {
    const { code, stdout, stderr } = await run("backends/main.ts", []);
    assertEquals(code, 0, stderr);
    const names = stdout.split("\n").map((line) => line.split(" ")[0]).filter((name) => name);
    assertEquals(names, [...BACKEND_NAMES]);
    assertMatch(stdout, /^cudnn {3}Cannot use cudnn: [^]*;\s+(install|pip)/);
    assert(
      /^cpu {5}\d+ threads?, (relaxed )?SIMD WebAssembly(, wide tiles)?$/m.test(stdout),
      stdout,
    );
    const wrong = await run("backends/main.ts", ["--all"]);
    assertEquals(wrong.code, 2);
    assertStringIncludes(
      wrong.stderr,
      "error: unknown option --all; see deno task backends --help",
    );
  },
});
