/**
 * Tests of the stage trainer that take many steps, on every device with kernels: learning, tensor
 * counts, exact continuation, and the same bits whatever the number of threads.
 */

import * as tf from "@tensorflow/tfjs-core";
import { allPrimitives } from "../../search/edge_weights.ts";
import { type StageState, StageTrainer } from "../../search/stage_trainer.ts";
import { assert, assertEquals } from "../assert.ts";
import { onEachDevice } from "../backends/devices.ts";
import { tinyBatch, tinySettings } from "./tiny_network.ts";

/** A trainer whose alphas have been trained too, with all eight primitives. */
function trained(): StageTrainer {
  const all = allPrimitives();
  const trainer = new StageTrainer(tinySettings({ normal: all, reduce: all }));
  trainer.beginEpoch(2);
  for (let step = 0; step < 3; step++) {
    trainer.alphaStep(tinyBatch(10 + step));
    trainer.weightStep(tinyBatch(20 + step, 3));
  }
  trainer.evaluate(tinyBatch(3));
  return trainer;
}

/** What the first device of a family computed. */
const firstOfFamily = new Map<string, StageState>();

onEachDevice((test, device) => {
  if (!device.fast) return;

  test("weightStep() lowers the loss of its batch", async () => {
    const trainer = new StageTrainer(tinySettings({ skipDropout: 0 }));
    const batch = tinyBatch(1, 16), losses: number[] = [];
    for (let step = 0; step < 10; step++) {
      trainer.weightStep(batch);
      losses.push((await trainer.report()).loss);
    }
    assert(losses[9] < 0.5 * losses[0], losses.join(" "));
    trainer.dispose();
  });

  test("every step returns to the tensors and bytes before it", async ({ running }) => {
    const trainer = trained();
    const bytes = running.bytes(), tensors = tf.memory().numTensors;
    for (const kind of ["weightStep", "alphaStep", "evaluate"] as const) {
      trainer[kind](tinyBatch(4));
      assertEquals(tf.memory().numTensors, tensors, kind);
      assertEquals(running.bytes(), bytes, kind);
    }
    await trainer.report();
    assertEquals(tf.memory().numTensors, tensors, "report");
    trainer.dispose();
  });

  test("restore() continues bit for bit, whatever the other trainer's history", async () => {
    const one = trained();
    const all = allPrimitives();
    const continued = new StageTrainer(tinySettings({ normal: all, reduce: all }));
    continued.weightStep(tinyBatch(9));
    continued.restore(await one.state());
    for (const trainer of [one, continued]) {
      trainer.alphaStep(tinyBatch(4));
      trainer.weightStep(tinyBatch(5));
      trainer.evaluate(tinyBatch(6));
    }
    assertEquals(await continued.state(), await one.state());
    for (const kind of ["weights", "alphas", "evaluation"] as const) {
      assertEquals(await continued.report(kind), await one.report(kind), kind);
    }
    one.dispose();
    continued.dispose();
  });

  test("a stage gives the same bits whatever the number of threads", async () => {
    const trainer = trained();
    const state = await trainer.state();
    const first = firstOfFamily.get(device.family);
    if (first) assertEquals(state, first);
    else firstOfFamily.set(device.family, state);
    const { loss, samples } = await trainer.report();
    assertEquals([samples, Number.isFinite(loss)], [9, true]);
    trainer.dispose();
  });
});
