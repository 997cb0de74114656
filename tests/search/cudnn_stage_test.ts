/** Tests of a stage on the emulated cudnn: what its steps hold, and that they wait for nothing. */

import { OutOfMemoryError } from "../../backends/contract.ts";
import { StageTrainer } from "../../search/stage_trainer.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { cudnnTest } from "../backends/cudnn/cudnn_test_case.ts";
import { tinyBatch, tinySettings } from "./tiny_network.ts";

const STEPS = ["weightStep", "alphaStep", "evaluate"] as const;

/** A trainer that drops out behind skips, and has taken a step of each kind. */
function warmTrainer(): StageTrainer {
  const trainer = new StageTrainer(tinySettings({ skipDropout: 0.3 }));
  trainer.beginEpoch(2);
  for (const step of STEPS) trainer[step](tinyBatch(1));
  return trainer;
}

cudnnTest("steps, reports and saves run no kernel on the host", async ({ cudnn }) => {
  const trainer = warmTrainer();
  for (const kind of ["weights", "alphas", "evaluation"] as const) await trainer.report(kind);
  await trainer.alphas();
  await trainer.state();
  assertEquals([...cudnn.fallbacks], []);
  trainer.dispose();
});

cudnnTest(
  "every step returns to the bytes before it, and 200 steps hold no more",
  ({ backend, emulator }) => {
    const trainer = warmTrainer(), { current, reserved } = backend.memory();
    const { liveAllocations } = emulator.counts();
    for (let step = 1; step <= 200; step++) {
      trainer[STEPS[step % 3]](tinyBatch(step, 2));
      assertEquals(backend.memory().current, current, `bytes after step ${step}`);
    }
    assertEquals(backend.memory().reserved, reserved);
    assertEquals(emulator.counts().liveAllocations, liveAllocations);
    trainer.dispose();
    assertEquals(backend.memory().current, 0);
  },
);

cudnnTest(
  "steps are launched and batches uploaded while nothing before them has run",
  async ({ emulator }) => {
    const states = [];
    for (const deferred of [false, true]) {
      emulator.setDeferred(deferred);
      const trainer = new StageTrainer(tinySettings()), { launches, copies } = emulator.counts();
      for (const seed of [1, 2, 3]) {
        const batch = tinyBatch(seed);
        for (const step of STEPS) trainer[step](batch);
        // What was uploaded was copied: the next batch may lie where this one was.
        batch.images.fill(NaN);
        batch.labels.fill(0);
      }
      const counts = emulator.counts();
      if (deferred) assertEquals([counts.launches, counts.copies], [launches, copies]);
      states.push(await trainer.state());
      trainer.dispose();
    }
    assertEquals(states[1], states[0]);
  },
);

cudnnTest(
  "a step that runs out of memory changes nothing, and a smaller batch trains on",
  async ({ backend, emulator }) => {
    const trainer = warmTrainer(), large = tinyBatch(3, 4096);
    emulator.setMemoryBytes(emulator.counts().liveBytes);
    for (const step of STEPS) {
      const state = await trainer.state(), { current } = backend.memory();
      assertThrows(() => trainer[step](large), OutOfMemoryError);
      assertEquals(backend.memory().current, current, step);
      assertEquals(await trainer.state(), state, step);
      trainer[step](tinyBatch(4));
    }
    trainer.dispose();
  },
);
