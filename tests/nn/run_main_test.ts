/** Tests of the commands that a program tells a person to type. */

import project from "../../deno.json" with { type: "json" };
import { EVAL_TASK } from "../../evaluate/task.ts";
import { type Access, commandWith, type MainProgram, shellWord } from "../../nn/run_main.ts";
import { assertEquals } from "../assert.ts";
import { permitted } from "../permitted.ts";

const PROGRAM: MainProgram = {
  command: "deno task paint",
  run: "deno run -P=paint",
  script: "paint/main.ts",
  folders: { read: [".", "/pictures"], write: ["runs", "/pictures"] },
};

function save(path: string): Access {
  return { path, option: "--save", kinds: ["read", "write"] };
}

Deno.test("shellWord() quotes what a shell would change", () => {
  assertEquals(shellWord("--save=runs/a-1.b"), "--save=runs/a-1.b");
  assertEquals(shellWord("a b"), "'a b'");
  assertEquals(shellWord("it's"), "'it'\\''s'");
  assertEquals(shellWord(""), "''");
});

Deno.test({
  name: "commandWith() names the task where its permission set is enough",
  ignore: !permitted({ read: ["."] }),
  fn: () => {
    for (const path of ["runs/a", "./runs/../runs/a", "/pictures/a", "runs"]) {
      const command = commandWith([save(path)], [`--resume=${path}`], PROGRAM);
      assertEquals(command, `deno task paint --resume=${path}`);
    }
  },
});

Deno.test({
  name: "commandWith() adds the paths outside the set to those in it",
  ignore: !permitted({ read: ["."] }),
  fn: () => {
    const accesses: Access[] = [
      save("/data/my runs"),
      { path: "/data/images", option: "--data", kinds: ["read"] },
    ];
    const read = PROGRAM.folders.read.join(","), write = PROGRAM.folders.write.join(",");
    assertEquals(
      commandWith(accesses, ["--note", "a b"], PROGRAM),
      `deno run -P=paint --allow-read=${read},'/data/my runs',/data/images ` +
        `--allow-write=${write},'/data/my runs' paint/main.ts --note 'a b'`,
    );
    assertEquals(
      commandWith([save("/picturesx"), save("kept")], [], PROGRAM),
      `deno run -P=paint --allow-read=${read},/picturesx ` +
        `--allow-write=${write},/picturesx,kept paint/main.ts`,
    );
    assertEquals(
      commandWith([save("/picturesx")], [], { ...PROGRAM, files: ["/bin/brush"] }),
      `deno run -P=paint --allow-read=${read},/bin/brush,/picturesx ` +
        `--allow-write=${write},/picturesx paint/main.ts`,
    );
  },
});

Deno.test("EVAL_TASK names all that its permission set lets it read", () => {
  const { folders, files = [] } = EVAL_TASK;
  assertEquals([...folders.read, ...files], project.permissions.eval.read);
  assertEquals(project.permissions.search.read, project.permissions.eval.read);
});
