/** Tests of the flags for V8: which engines get them, and that this one takes them. */

import { joinsVectors, v8Flags } from "../../../backends/cpu/v8_flags.ts";
import { assertEquals } from "../../assert.ts";
import { programsPermitted } from "../../search/program.ts";

const DEFAULTS = ["--wasm-bounds-checks"];

Deno.test("v8Flags() gives an engine that was not tested its own defaults", () => {
  assertEquals(v8Flags({ arch: "aarch64", v8: "15.0.1" }), DEFAULTS);
  assertEquals(v8Flags({ arch: "x86_64", v8: "150.0.1" }), DEFAULTS);
  assertEquals(v8Flags({ arch: "x86_64", v8: "15.0.1" }).length, 2);
});

const here = v8Flags();
for (const [flags, joins] of [[here, here.length === 2], [DEFAULTS, false]] as const) {
  Deno.test({
    name: `joinsVectors() is ${joins} in a process with ${flags.join()}`,
    ignore: !programsPermitted(),
    fn: async () => {
      const url = new URL("../../../backends/cpu/v8_flags.ts", import.meta.url);
      const code = `console.log((await import(${JSON.stringify(url.href)})).joinsVectors())`;
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "-q", code],
        env: { DENO_V8_FLAGS: flags.join() },
      }).output();
      assertEquals(
        new TextDecoder().decode(stdout).trim(),
        String(joins),
        new TextDecoder().decode(stderr),
      );
    },
  });
}

Deno.test({
  name: "joinsVectors() is false, and asks nobody, where it may not read the variable",
  permissions: { env: false },
  fn: () => assertEquals(joinsVectors(), false),
});
