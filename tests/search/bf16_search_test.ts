/** A test of a whole search that keeps results of branches as bf16: all stages, near float32's losses. */

import type { Precision } from "../../backends/contract.ts";
import { assert, assertEquals } from "../assert.ts";
import { startEmulated } from "../backends/cudnn/emulated.ts";
import { EMULATOR_ABSENT } from "../cuda_emulator/emulator.ts";
import { permitted } from "../permitted.ts";
import { searchHere } from "./in_process.ts";
import { inFolder } from "./program.ts";

/** Three stages of one epoch, of one step of each kind. */
const OPTIONS = [
  ...["--epochs=1", "--alpha-from-epoch=0", "--validation-epochs=0", "--layers=3,3,3"],
  ...["--channels=2", "--batch=4", "--train-images=8", "--seed=4", "--report-every=1"],
  "--checkpoint-minutes=0",
];

/** The losses of a search's log and its genotypes file. */
async function search(precision: Precision): Promise<{ losses: number[]; genotypes: string }> {
  const losses: number[] = [];
  let genotypes = "";
  await inFolder(async (folder) => {
    await searchHere(
      [...OPTIONS, `--precision=${precision}`, `--save=${folder}/run`],
      (options) => startEmulated({ ...options, precision }),
    );
    const log = Deno.readTextFileSync(`${folder}/run/log.jsonl`).trim();
    for (const line of log.split("\n")) {
      JSON.parse(line, (key, value) => {
        if (key === "loss") losses.push(value);
        return value;
      });
    }
    genotypes = Deno.readTextFileSync(`${folder}/run/genotypes.json`);
  });
  return { losses, genotypes };
}

const needed = { read: [".", "/tmp"], write: [".cache", "/tmp"], env: ["CI"] };

Deno.test({
  name: "a search that keeps bf16 goes through all stages, near float32's losses [cudnn, emulated]",
  ignore: EMULATOR_ABSENT !== undefined || !permitted(needed),
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const expected = await search("tf32"), actual = await search("bf16");
    assertEquals(actual.losses.length, expected.losses.length);
    assert(expected.losses.length >= 3 * 4, `${expected.losses.length} losses`);
    const errors = actual.losses.map((loss, at) =>
      Math.abs(loss - expected.losses[at]) / expected.losses[at]
    );
    const worst = Math.max(...errors);
    assert(worst > 0 && worst < 0.1, `losses are off by up to ${worst}`);
    assertEquals(
      Object.keys(JSON.parse(actual.genotypes)),
      Object.keys(JSON.parse(expected.genotypes)),
    );
  },
});
