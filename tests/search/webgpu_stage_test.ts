/** Tests of a stage on webgpu: what its steps hold, tensors that are split, and an image that no binding takes. */

import { BackendError } from "../../backends/contract.ts";
import { allPrimitives } from "../../search/edge_weights.ts";
import { type StageState, StageTrainer } from "../../search/stage_trainer.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { webgpuTest } from "../backends/webgpu/webgpu_test_case.ts";
import { tinyBatch, tinySettings } from "./tiny_network.ts";

/** A trainer that drops out behind skips, and has taken a step of each kind. */
function warmTrainer(): StageTrainer {
  const trainer = new StageTrainer(tinySettings({ skipDropout: 0.3 }));
  trainer.beginEpoch(2);
  trainer.alphaStep(tinyBatch(1));
  trainer.weightStep(tinyBatch(2));
  return trainer;
}

webgpuTest(
  "every step returns to the bytes before it, and 200 steps hold no more",
  ({ backend }) => {
    const trainer = warmTrainer(), { current } = backend.memory();
    let early: typeof memory | undefined, memory = backend.memory();
    for (let step = 1; step <= 200; step++) {
      if (step % 2 === 0) trainer.weightStep(tinyBatch(step));
      else trainer.alphaStep(tinyBatch(step));
      // Asking for the bytes submits what is encoded: later steps share submits, as in a search.
      if (step > 20 && step % 100 !== 0) continue;
      memory = backend.memory();
      assertEquals(memory.current, current, `bytes after step ${step}`);
      if (step === 100) early = memory;
    }
    assertEquals(memory, early, "memory after 200 steps and after 100");
    trainer.dispose();
  },
);

/** Small enough for the tensors of a batch to be split, large enough for one image. */
const LIMIT = 1 << 16;

webgpuTest(
  "an image with a tensor larger than a binding changes nothing, and smaller ones train on",
  async ({ backend }) => {
    const trainer = warmTrainer(), large = tinyBatch(3, 2, 128);
    for (const step of ["weightStep", "alphaStep", "evaluate"] as const) {
      const state = await trainer.state(), { current } = backend.memory();
      const { message } = assertThrows(() => trainer[step](large), BackendError);
      const found =
        /^Cannot run (\w+) of \[2,[\d,]+\] on webgpu: it binds (\d+) bytes .* at most (\d+);/
          .exec(message);
      assert(found && Number(found[2]) > LIMIT && Number(found[3]) === LIMIT, message);
      assertEquals(backend.memory().current, current, step);
      assertEquals(await trainer.state(), state, step);
      trainer[step](tinyBatch(4));
    }
    trainer.dispose();
  },
  { maxStorageBufferBindingSize: LIMIT },
);

webgpuTest("steps whose tensors are split change what whole ones change", async ({ webgpu }) => {
  const states: StageState[] = [], all = allPrimitives();
  for (const limit of [webgpu.limits.maxStorageBufferBindingSize, LIMIT / 2]) {
    webgpu.limits.maxStorageBufferBindingSize = limit;
    const settings = { channels: 4, skipDropout: 0.3, normal: all, reduce: all };
    const trainer = new StageTrainer(tinySettings(settings));
    trainer.beginEpoch(2);
    trainer.alphaStep(tinyBatch(1, 33));
    trainer.weightStep(tinyBatch(2, 33));
    trainer.evaluate(tinyBatch(3, 33));
    states.push(await trainer.state());
    trainer.dispose();
  }
  const [whole, split] = states;
  assertEquals(split.counters, whole.counters);
  for (const [name, { data }] of whole.tensors) {
    const other = split.tensors.get(name)!.data;
    let largest = 1e-3, worst = 0;
    data.forEach((value, index) => {
      largest = Math.max(largest, Math.abs(Number(value)));
      worst = Math.max(worst, Math.abs(Number(value) - Number(other[index])));
    });
    assert(worst <= 1e-4 * largest, `${name}: ${worst} of ${largest}`);
  }
});
