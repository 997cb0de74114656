/**
 * Tests of `--memory=low`: the bits of `normal` on every device, and what a step of the search then
 * keeps on the CPU.
 */

import { startBackend } from "../../backends/mod.ts";
import { EDGES } from "../../nn/primitives.ts";
import type { MemoryMode } from "../../nn/recompute.ts";
import { allPrimitives } from "../../search/edge_weights.ts";
import { REPORT_KINDS, type StageSettings, StageTrainer } from "../../search/stage_trainer.ts";
import { assert, assertEquals } from "../assert.ts";
import { permitted } from "../permitted.ts";
import { onEachDevice, type RunningDevice } from "../backends/devices.ts";
import { tinyBatch, tinySettings } from "./tiny_network.ts";

/** Everything that steps of both kinds with dropout lead to, on three cells that are computed twice. */
async function history(
  running: RunningDevice,
  changes: Partial<StageSettings>,
): Promise<unknown[]> {
  const all = allPrimitives();
  const settings = tinySettings({ layers: 6, normal: all, skipDropout: 0.4, ...changes });
  const trainer = new StageTrainer(settings, running.createRecorder?.());
  trainer.beginEpoch(1);
  for (const seed of [1, 2]) {
    trainer.alphaStep(tinyBatch(seed));
    trainer.weightStep(tinyBatch(10 + seed));
  }
  trainer.evaluate(tinyBatch(3));
  const seen: unknown[] = [await trainer.state()];
  for (const kind of REPORT_KINDS) seen.push(await trainer.report(kind));
  trainer.dispose();
  return seen;
}

onEachDevice((test, device) => {
  if (!device.fast) return;

  test("a stage of low memory gives the bits of a normal one", async ({ running }) => {
    assertEquals(await history(running, { memory: "low" }), await history(running, {}));
  });
});

/** The largest bytes of a step at batch 96, from those at 2 and 4: the rest grows with the batch. */
async function peakOfStep(settings: StageSettings): Promise<number> {
  const { backend } = await startBackend("cpu");
  const trainer = new StageTrainer(settings);
  const peaks = [2, 4].map((size) => {
    trainer.weightStep(tinyBatch(size, size, 32));
    backend.resetPeak();
    trainer.weightStep(tinyBatch(size, size, 32));
    return backend.memory().peak;
  });
  trainer.dispose();
  backend.close();
  return peaks[0] + (96 - 2) / 2 * (peaks[1] - peaks[0]);
}

Deno.test({
  name: "memory low holds a step of batch 96 within 1.5 GB, and one of 17 cells within 4 GB",
  ignore: !permitted({ read: ["."], write: [".cache"], env: ["CI"] }),
  fn: async () => {
    const largest = EDGES.map(() => ["sep_conv_3x3", "sep_conv_5x5", "dil_conv_5x5"] as const);
    const stages = [
      { layers: 5, kept: allPrimitives(), limit: 1.5e9 },
      { layers: 17, kept: largest, limit: 2 ** 32 },
    ];
    for (const { layers, kept, limit } of stages) {
      const peakOf = (memory: MemoryMode) =>
        peakOfStep(tinySettings({ layers, channels: 16, normal: kept, reduce: kept, memory }));
      const low = await peakOf("low"), normal = await peakOf("normal");
      assert(low < limit && normal > limit, `${layers} cells: ${low} and ${normal} bytes`);
    }
  },
});
