/** Tests of bad input to the evaluation: one sentence each, and nothing left behind. */

import { UsageError } from "../../nn/command_line.ts";
import { RunError } from "../../nn/run_files.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { permitted } from "../permitted.ts";
import { inFolder } from "../search/program.ts";
import { evaluateHere, TINY_TRAINING } from "./program.ts";

const ignore = !permitted({ read: [".", "/tmp"], write: [".cache", "/tmp"], env: ["CI"] });

Deno.test("eval refuses command lines that it cannot understand", async () => {
  const cases: [string[], string][] = [
    [[], "want train, test, count or export"],
    [
      ["trian"],
      'unknown subcommand trian: want train, test, count or export (did you mean "train"?)',
    ],
    [["train", "--epoch=3"], 'did you mean "--epochs"?'],
    [["train", "--auxiliary=yes"], "want off or on"],
    [["test"], "Cannot test without --model"],
    [["count", "--network=mnist"], "want cifar or imagenet"],
    [["export", "--model=a"], "Cannot export without --save"],
    [["export", "--model=a", "--save=/tmp/a.tflite"], "want a name in .pt, .pth, .pth.tar, .safet"],
    [["export", "--model=a", "--save=/tmp/a.pt", "--fold=on"], "--fold: it holds weights alone"],
  ];
  for (const [args, says] of cases) {
    await assertRejects(() => evaluateHere(args), UsageError, says);
  }
});

Deno.test("eval points to the help of the part that refused its options", async () => {
  const commandOf = async (...args: string[]) =>
    (await assertRejects(() => evaluateHere(args), UsageError) as UsageError).command;
  assertEquals(await commandOf("train", "--epoch=3"), "tiny-eval train");
  assertEquals(await commandOf("test"), "tiny-eval test");
  assertEquals(await commandOf("trian"), undefined);
});

Deno.test("eval --help names its parts within 80 columns", async () => {
  const { output } = await evaluateHere(["--help"]);
  for (const name of ["train", "test", "count", "export"]) {
    assertStringIncludes(output, `  ${name} `);
  }
  assertEquals(output.split("\n").filter((line) => line.length > 80), []);
});

Deno.test({
  name: "eval refuses what it cannot use, and leaves no folder",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      Deno.writeTextFileSync(`${folder}/empty.pt`, "");
      const save = `--save=${folder}/run`;
      const cases: [string[], string][] = [
        [
          ["train", "--arch=/tmp/there-is-none.json", save],
          "it is no file or folder, and no stored",
        ],
        [["train", ...TINY_TRAINING, "--train-images=385", save], "--train-images 385: want"],
        [["train", ...TINY_TRAINING, "--test-images=97", save], "--test-images 97: want"],
        [["train", `--resume=${folder}`], "config.json is missing"],
        [["test", `--model=${folder}/empty.pt`, save], "it is empty"],
        [["test", `--model=${folder}`, save], "holds no best.safetensors"],
        [["test", `--model=${folder}/absent.pt`, save], "it does not exist"],
        [["export", `--model=${folder}/empty.pt`, `${save}.pt`], "it is empty"],
      ];
      for (const [args, says] of cases) {
        const error = await assertRejects(() => evaluateHere(args), Error, says);
        assertEquals(error.message.includes("\n"), false);
      }
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["empty.pt"]);
      await evaluateHere(["train", ...TINY_TRAINING, "--epochs=1", save]);
      await assertRejects(() => evaluateHere(["test", `--model=${folder}/run`, save]), RunError);
      await assertRejects(
        () => evaluateHere(["test", `--model=${folder}/run`, "--arch=NASNet", `${save}2`]),
        RunError,
        "operations of DARTS_V2",
      );
    }),
});

Deno.test("eval count shows the published sizes of PDARTS", async () => {
  const cifar = await evaluateHere(["count"]);
  const imagenet = await evaluateHere(["count", "--network=imagenet"]);
  assertStringIncludes(cifar.output, "3,433,798");
  assertStringIncludes(imagenet.output, "4,944,352");
  assertStringIncludes(imagenet.output, "557.38 M");
});
