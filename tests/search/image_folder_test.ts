/** Tests of searches on folders of images, of a few of their classes and images. */

import { loadTiny, TINY_EVALUATION } from "../evaluate/program.ts";
import { startCpuBackend } from "../../backends/cpu/start.ts";
import type { Backend } from "../../backends/contract.ts";
import { trainMain } from "../../evaluate/train_main.ts";
import { searchMain } from "../../search/search_main.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { treePermitted, writeTree } from "../datasets/made_tree.ts";
import { inFolder, TINY_NETWORK } from "./program.ts";

Deno.test({
  name:
    "a search on a folder uses the classes and images asked for, and trains what it found on them",
  ignore: !treePermitted(),
  fn: () =>
    inFolder(async (folder) => {
      await writeTree(`${folder}/data`);
      let backend: Backend | undefined, output = "";
      const environment = {
        program: TINY_EVALUATION,
        output: { terminal: false, columns: () => 80, write: (text: string) => output += text },
        startBackend: async () => {
          backend ??= await startCpuBackend({ threads: 2 });
          return { backend, notTaken: [] };
        },
        loadData: loadTiny,
      };
      const args = [
        ...TINY_NETWORK,
        "--preset=quick",
        "--dataset=imagefolder",
        `--data=${folder}/data`,
        "--classes=2",
        "--per-class=5",
        "--image-size=16",
        "--workers=1",
        "--train=on",
        `--save=${folder}/run`,
      ];
      try {
        const train = (given: readonly string[]) =>
          trainMain([...given, "--epochs=1"], environment);
        assertEquals(await searchMain(args, { ...environment, train }), "done");
      } finally {
        backend?.close();
      }
      assertStringIncludes(output, "2 classes, 10 training and 6 test images");
      assertStringIncludes(output, "Evaluation network of 14 cells, 48 channels");
      const log = Deno.readTextFileSync(`${folder}/run/log.jsonl`).trim().split("\n")
        .map((line) => JSON.parse(line));
      const samples = log.filter(({ type }) => type === "epoch")
        .map(({ weights, alphas }) => [weights.samples, alphas.samples]);
      assertEquals(samples, [[5, 5], [5, 5], [5, 5]]); // a half each, in one batch
      const { options } = JSON.parse(Deno.readTextFileSync(`${folder}/run/eval/config.json`));
      const { network, folder: used } = options.config;
      assertEquals([network, used.classes, used.perClass, used.imageSize], ["imagenet", 2, 5, 16]);
    }),
});
