/** Test that a search learns: its training loss falls in every stage, on real images. */

import { assert, assertEquals } from "../assert.ts";
import { inFolder, programsPermitted, run } from "./program.ts";

interface EpochLine {
  type: string;
  stage: number;
  weights: { loss: number };
}

Deno.test({
  name: "a tiny search lowers its training loss in every stage",
  ignore: !programsPermitted(),
  fn: () =>
    inFolder(async (folder) => {
      const { code, stderr } = await run("tests/search/tiny_search.ts", [
        "--epochs=3",
        "--alpha-from-epoch=2",
        "--validation-epochs=0",
        "--layers=3,3,3",
        "--channels=4",
        "--batch=16",
        `--save=${folder}/run`,
      ]);
      assertEquals(code, 0, stderr);
      const epochs = Deno.readTextFileSync(`${folder}/run/log.jsonl`).trim().split("\n")
        .map((line) => JSON.parse(line) as EpochLine)
        .filter(({ type }) => type === "epoch");
      for (const stage of [1, 2, 3]) {
        const losses = epochs.filter((line) => line.stage === stage).map((line) =>
          line.weights.loss
        );
        assertEquals(losses.length, 3);
        assert(losses[2] < losses[0] - 0.1, `stage ${stage}: ${losses}`);
      }
    }),
});
