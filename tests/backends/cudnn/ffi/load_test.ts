/** Tests of how a process gets at NVIDIA's libraries, with the permissions it has. */

import { BackendError } from "../../../../backends/contract.ts";
import { loadLibraries, located } from "../../../../backends/cudnn/ffi/load.ts";
import { VARIABLES } from "../../../../backends/cudnn/ffi/places.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../../../assert.ts";
import { permitted } from "../../../permitted.ts";
import { programsPermitted } from "../../../search/program.ts";

Deno.test({
  name: "loadLibraries() says what to grant where it may open nothing",
  permissions: "none",
  fn: () => {
    assertThrows(loadLibraries, BackendError, "no permission to open NVIDIA's libraries; start");
  },
});

Deno.test({
  name: "located() asks for no permission, and says when folders were closed to it",
  permissions: "none",
  ignore: Deno.build.os !== "linux",
  fn: () => {
    const { found, problem } = located();
    assertEquals(found, []);
    assertMatch(problem ?? "", /not all folders may be read without --allow-read; install/);
  },
});

Deno.test({
  name: "located() takes what another process has found, as the tasks do",
  ignore: !programsPermitted(),
  fn: async () => {
    const deno = async (args: string[], env: Record<string, string> = {}) => {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env })
        .output();
      assert(success, new TextDecoder().decode(stderr));
      return JSON.parse(new TextDecoder().decode(stdout));
    };
    const script = "backends/cudnn/ffi/load.ts";
    const found = await deno(["run", "-q", "--no-prompt", "--allow-read", script]);
    assert(Array.isArray(found.found), "the script prints what it finds");
    const told = { found: [], problem: "told" };
    const call = `import { located } from "./${script}"; console.log(JSON.stringify(located()))`;
    assertEquals(
      await deno(["eval", "-q", call], { PDARTS_CUDNN_FOUND: JSON.stringify(told) }),
      told,
    );
  },
});

Deno.test({
  name: "the permission set locate of deno.json has every variable that names a folder",
  ignore: !permitted({ read: ["."] }),
  fn: async () => {
    const { permissions } = JSON.parse(await Deno.readTextFile("deno.json"));
    assertEquals(permissions.locate.env, [...VARIABLES].sort());
  },
});
