/** Tests of testing and exporting weights that a training has left. */

import { decodeSafetensors } from "../../nn/safetensors.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { permitted } from "../permitted.ts";
import { inFolder } from "../search/program.ts";
import { evaluateHere, TINY_TRAINING } from "./program.ts";

function test(name: string, body: (folder: string) => Promise<void>): void {
  const needed = { read: [".", "/tmp"], write: [".cache", "/tmp"], env: ["CI"] };
  Deno.test({ name, ignore: !permitted(needed), fn: () => inFolder(body) });
}

test("eval test finds the accuracy that the training logged, in every exported form", async (folder) => {
  const path = `${folder}/run`;
  await evaluateHere(["train", ...TINY_TRAINING, `--save=${path}`]);
  const { best } = JSON.parse(Deno.readTextFileSync(`${path}/summary.json`));
  const files = ["a.pt", "a.pth.tar", "a.safetensors"].map((name) => `${folder}/${name}`);
  for (const file of files) await evaluateHere(["export", `--model=${path}`, `--save=${file}`]);
  for (const [index, model] of [path, ...files].entries()) {
    const save = `${folder}/test${index}`;
    const { output } = await evaluateHere([
      "test",
      `--model=${model}`,
      "--arch=DARTS_V2",
      "--test-images=12",
      "--batch=5",
      `--save=${save}`,
    ]);
    assertStringIncludes(output, `top-1 ${(100 * best.top1).toFixed(2)} %`);
    const report = JSON.parse(Deno.readTextFileSync(`${save}/test.json`));
    assertEquals([report.samples, report.top1, report.top5], [12, best.top1, best.top5], model);
    assert(Math.abs(report.loss - best.loss) < 1e-4, `${report.loss} ${best.loss}`);
    const confusion = report.confusion as number[][];
    const total = confusion.flat().reduce((sum, count) => sum + count, 0);
    const right = confusion.reduce((sum, row, label) => sum + row[label], 0);
    assertEquals([total, right], [12, Math.round(12 * best.top1)]);
    assertStringIncludes(Deno.readTextFileSync(`${save}/confusion.svg`), "airplane");
  }
  const [own, exported] = [`${path}/best.safetensors`, files[2]].map((file) =>
    decodeSafetensors(Deno.readFileSync(file))
  );
  assertEquals([...exported.tensors], [...own.tensors]);
  assertEquals(exported.metadata, own.metadata);
});
