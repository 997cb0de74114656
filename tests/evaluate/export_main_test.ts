/** Tests of exporting whole networks: README's examples, and what is refused. */

import { encode } from "fast-png";
import { encodeSafetensors } from "../../nn/safetensors.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { permitted } from "../permitted.ts";
import { scratchPermitted, withScratch } from "../scratch.ts";
import { ended, programsPermitted } from "../search/program.ts";
import { exportedNamed, type ExportedNetwork, labelsOf } from "./export/networks.ts";
import { evaluateHere } from "./program.ts";

const ignore = !(permitted({ read: [".", "/tmp"], env: ["CI"], ffi: true }) && scratchPermitted());
const SIZE = 32, FILE_WEIGHTS = "weights.safetensors";

/** The code blocks of README's section on exported networks. */
function examples(): string[] {
  const readme = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  const [, section] = readme.split("\n## Using a network elsewhere\n");
  return [...section.split("\n## ")[0].matchAll(/```js ignore\n(.*?)```/gs)].map(([, code]) =>
    code
  );
}

/** Writes weights, as `weights.safetensors` in a folder; returns the option that names them. */
function writeWeights({ weights }: ExportedNetwork, folder: string): string {
  Deno.writeFileSync(`${folder}/${FILE_WEIGHTS}`, encodeSafetensors(weights));
  return `--model=${folder}/${FILE_WEIGHTS}`;
}

Deno.test({
  name: "README's examples print the network's name for an image, of both formats",
  ignore: ignore || !programsPermitted(),
  fn: () =>
    withScratch(async (folder) => {
      const network = await exportedNamed("PDARTS"), runs = `${folder}/runs`;
      Deno.mkdirSync(runs);
      const model = writeWeights(network, runs);
      await evaluateHere(["export", model, `--save=${runs}/network.onnx`]);
      await evaluateHere(["export", model, `--save=${runs}/network`, "--format=graph-model"]);
      const pixels = network.pixels.slice(0, SIZE * SIZE * 3);
      const image = encode({ data: pixels, width: SIZE, height: SIZE, channels: 3 });
      Deno.writeFileSync(`${runs}/image.png`, image);
      const codes = examples();
      assertEquals(codes.length, 2);
      for (const [index, code] of codes.entries()) {
        Deno.writeTextFileSync(`${folder}/${index}.js`, code);
        const process = new Deno.Command(Deno.execPath(), {
          args: ["run", "-q", "--no-prompt", "--allow-read=.", "--allow-ffi", `${index}.js`],
          cwd: folder,
          stdin: "null",
          stdout: "piped",
          stderr: "piped",
        });
        const { code: exit, stdout, stderr } = await ended(process.spawn());
        assertEquals([exit, stdout], [0, `${labelsOf(network.logits)[0]}\n`], stderr);
      }
    }),
});

Deno.test({
  name:
    "eval export takes the names of classes from a file, and folds batch norms unless told not to",
  ignore,
  fn: () =>
    withScratch(async (folder) => {
      const model = writeWeights(await exportedNamed("DARTS_V1"), folder);
      const names = Array.from({ length: 10 }, (_, index) => `kind ${index}`);
      Deno.writeTextFileSync(`${folder}/names.txt`, names.join("\n") + "\n");
      const read = async (...args: string[]) => {
        const save = `${folder}/${args.length}`;
        await evaluateHere(["export", model, `--save=${save}`, "--format=graph-model", ...args]);
        const text = Deno.readTextFileSync(`${save}/model.json`);
        return { classes: JSON.parse(text).userDefinedMetadata.classes, text };
      };
      const folded = await read(),
        kept = await read("--fold=off", `--class-names=${folder}/names.txt`);
      assertEquals([folded.classes[0], folded.classes.length], ["airplane", 10]);
      assertEquals(kept.classes, names);
      assert(kept.text.includes("FusedBatchNorm") && !folded.text.includes("FusedBatchNorm"), "");
    }),
});

Deno.test({
  name: "eval export takes size, normalisation and names from weights that tell them",
  ignore,
  fn: () =>
    withScratch(async (folder) => {
      const { weights } = await exportedNamed("PDARTS for ImageNet"), save = `${folder}/model`;
      const classes = Array.from({ length: 10 }, (_, index) => `kind ${index}`);
      const input = { size: 40, resize: 48, mean: [0.5, 0.25, 0.125], std: [0.5, 0.25, 0.2] };
      const metadata = { classes: JSON.stringify(classes), input: JSON.stringify(input) };
      Deno.writeFileSync(`${folder}/${FILE_WEIGHTS}`, encodeSafetensors(weights, metadata));
      const model = `--model=${folder}/${FILE_WEIGHTS}`;
      await evaluateHere(["export", model, `--save=${save}`, "--format=graph-model"]);
      const json = JSON.parse(Deno.readTextFileSync(`${save}/model.json`));
      assertEquals(json.userDefinedMetadata.classes, classes);
      const sizes = json.signature.inputs.pixels.tensorShape.dim as { size: string }[];
      assertEquals(sizes.map(({ size }) => size), ["-1", "40", "40", "3"]);
      // The first constants of the file are the normalisation's.
      const [first] = json.weightsManifest[0].paths, bytes = Deno.readFileSync(`${save}/${first}`);
      const scale = [1 / (255 * 0.5), 1 / (255 * 0.25), 1 / (255 * 0.2)], shift = [-1, -1, -0.625];
      assertEquals(
        [...new Float32Array(bytes.buffer, 0, 6)],
        [...Float32Array.from([...scale, ...shift])],
      );
    }),
});

Deno.test({
  name: "eval export refuses what it cannot write",
  ignore,
  fn: () =>
    withScratch(async (folder) => {
      const network = await exportedNamed("PDARTS"), model = writeWeights(network, folder);
      const five = new Map(network.weights);
      five.set("classifier.weight", { shape: [5, 1], data: new Float32Array(5) });
      Deno.writeFileSync(`${folder}/five.safetensors`, encodeSafetensors(five));
      const save = `--save=${folder}/a.onnx`;
      const cases: [string[], string][] = [
        [[model, `--save=${folder}/absent/a.onnx`], "absent/a.onnx: it does not exist"],
        [[model, `--save=${folder}/${FILE_WEIGHTS}`, "--format=graph-model"], "Cannot write"],
        [[model, save, "--arch=NASNet"], "cells.0._ops.0.op.1.weight is missing"],
        [[model, save, "--dataset=cifar100"], "it has 10 classes, and there are 100 names"],
        [[model, save, `--class-names=${folder}/absent`], "absent: it does not exist"],
        [[`--model=${folder}/five.safetensors`, save], "nothing tells the names of its 5 classes"],
      ];
      for (const [args, says] of cases) {
        const error = await assertRejects(() => evaluateHere(["export", ...args]), Error, says);
        assertEquals(error.message.includes("\n"), false);
      }
      const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
      assertEquals(left, ["five.safetensors", FILE_WEIGHTS]);
    }),
});
