/** Tests of a stage whose steps are replayed: what it holds, and a batch that does not fit. */

import { type Backend, OutOfMemoryError } from "../../backends/contract.ts";
import { StageTrainer } from "../../search/stage_trainer.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { RECORDING_BACKENDS } from "../backends/recording_backends.ts";
import { tinyBatch, tinySettings } from "./tiny_network.ts";

/** A trainer that drops out behind skips, and has recorded a step of each kind. */
function recordedTrainer(backend: Backend): StageTrainer {
  const settings = tinySettings({ skipDropout: 0.3 });
  const trainer = new StageTrainer(settings, backend.createRecorder!());
  trainer.beginEpoch(2);
  for (const step of ["weightStep", "alphaStep", "evaluate"] as const) trainer[step](tinyBatch(1));
  return trainer;
}

for (const { test, testInLittleMemory } of RECORDING_BACKENDS) {
  test(
    "100 replays hold no more than the first, and dispose() frees all",
    async ({ backend }) => {
      const before = backend.memory(), trainer = recordedTrainer(backend);
      trainer.weightStep(tinyBatch(1));
      const memory = backend.memory();
      for (let step = 1; step <= 100; step++) {
        if (step % 2 === 0) trainer.weightStep(tinyBatch(step));
        else trainer.alphaStep(tinyBatch(step));
        if (step % 50 === 0) assertEquals(backend.memory(), memory, `step ${step}`);
      }
      await trainer.report();
      trainer.dispose();
      assertEquals(backend.memory().current, before.current);
    },
  );

  test("a recorded batch of another size takes little memory of its own", ({ backend }) => {
    const trainer = recordedTrainer(backend), before = backend.memory().reserved;
    trainer.weightStep(tinyBatch(1, 128));
    const first = backend.memory().reserved - before;
    trainer.weightStep(tinyBatch(2, 96));
    const second = backend.memory().reserved - before - first;
    assert(second < 0.3 * first, `${first} bytes, then ${second}`);
    trainer.dispose();
  });

  testInLittleMemory(
    "a recorded step that runs out of memory changes nothing, and a smaller batch trains on",
    async ({ backend, fillMemory }) => {
      const trainer = recordedTrainer(backend), large = tinyBatch(3, 256);
      fillMemory();
      for (const step of ["weightStep", "alphaStep", "evaluate"] as const) {
        const state = await trainer.state(), { current } = backend.memory();
        assertThrows(() => trainer[step](large), OutOfMemoryError);
        const { reserved } = backend.memory();
        assertThrows(() => trainer[step](large), OutOfMemoryError);
        const after = backend.memory();
        assertEquals([after.current, after.reserved], [current, reserved], step);
        assertEquals(await trainer.state(), state, step);
        trainer[step](tinyBatch(4));
        trainer[step](tinyBatch(4, 3));
      }
      trainer.dispose();
    },
  );
}
