/**
 * Tests of the network trainer on plain tfjs: reports, rates, errors. network_trainer_devices_test.ts has
 * those that every device takes.
 */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { NetworkTrainer } from "../../evaluate/network_trainer.ts";
import { assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "../assert.ts";
import { tinyBatch } from "../search/tiny_network.ts";
import { tinySettings } from "./tiny_network.ts";

await tf.setBackend("cpu");

/** Without the head, which wants images of 32x32. */
const HEADLESS = { auxiliary: { enabled: false, weight: 0 } };

Deno.test("dispose() frees every tensor", async () => {
  const start = tf.memory().numTensors;
  const trainer = new NetworkTrainer(tinySettings(HEADLESS));
  const before = tf.memory().numTensors;
  trainer.trainStep(tinyBatch(1));
  trainer.evaluate(tinyBatch(2));
  await trainer.report("evaluation");
  trainer.restore(await trainer.state());
  assertEquals(tf.memory().numTensors, before);
  trainer.dispose();
  assertEquals(tf.memory().numTensors, start);
});

Deno.test("report() gives means since the last report, each kind apart", async () => {
  const trainer = new NetworkTrainer(tinySettings(HEADLESS));
  trainer.evaluate(tinyBatch(1, 4));
  const first = await trainer.report("evaluation");
  trainer.evaluate(tinyBatch(2, 2));
  const second = await trainer.report("evaluation");
  trainer.evaluate(tinyBatch(1, 4));
  trainer.evaluate(tinyBatch(2, 2));
  assertEquals(await trainer.report(), { loss: 0, top1: 0, top5: 0, samples: 0 });
  const both = await trainer.report("evaluation");
  assertEquals([both.samples, both.top5], [6, 1], "five classes are all among the first five");
  assertAlmostEquals(both.loss, (4 * first.loss + 2 * second.loss) / 6, 1e-5);
  trainer.dispose();
});

Deno.test("report() leaves the auxiliary loss out", async () => {
  const losses: number[] = [];
  for (const weight of [0, 100]) {
    const auxiliary = { enabled: true, weight };
    const trainer = new NetworkTrainer(tinySettings({ auxiliary, dropPath: 0, layers: 2 }));
    trainer.trainStep(tinyBatch(1, 2, 32));
    losses.push((await trainer.report()).loss);
    trainer.dispose();
  }
  assertEquals(losses[1], losses[0]);
});

Deno.test("beginEpoch() sets the rates of the epoch", () => {
  const trainer = new NetworkTrainer(tinySettings(HEADLESS));
  assertEquals(trainer.beginEpoch(0), { learningRate: 0.025, dropPath: 0 });
  const middle = trainer.beginEpoch(2);
  assertAlmostEquals(middle.learningRate, 0.0125, 1e-12);
  assertAlmostEquals(middle.dropPath, 0.15, 1e-12);
  trainer.dispose();
});

Deno.test("NetworkTrainer starts from other numbers for another seed", async () => {
  const weights = async (seed: number) => {
    const trainer = new NetworkTrainer(tinySettings({ ...HEADLESS, seed }));
    const { tensors } = await trainer.state();
    trainer.dispose();
    return tensors.get("network.classifier.weight")!.data;
  };
  assertEquals(await weights(5), await weights(5));
  assertNotEquals(await weights(6), await weights(5));
});

Deno.test("restore() names what does not fit", async () => {
  const trainer = new NetworkTrainer(tinySettings(HEADLESS));
  const { tensors, counters } = await trainer.state();
  const without = (name: string) => new Map([...tensors].filter(([key]) => key !== name));
  for (const name of ["network.stem.0.weight", "optimizer.momentum.stem.0.weight"]) {
    assertThrows(
      () => trainer.restore({ tensors: without(name), counters }),
      RangeError,
      'stem.0.weight" is missing',
    );
  }
  assertThrows(
    () => trainer.restore({ tensors, counters: { ...counters, passes: 0.5 } }),
    RangeError,
    'want a count "passes", got 0.5',
  );
  trainer.dispose();
});

Deno.test("a step that fails changes nothing and leaves no tensor behind", async () => {
  const trainer = new NetworkTrainer(tinySettings());
  const before = await trainer.state(), count = tf.memory().numTensors;
  const unlabelled = { ...tinyBatch(1), labels: Int32Array.of(0, 1, 2) };
  assertThrows(() => trainer.trainStep(unlabelled), RangeError, "got 3 labels");
  // The head refuses these in the middle of the forward pass.
  assertThrows(
    () => trainer.trainStep(tinyBatch(1)),
    RangeError,
    "got 2x2; it needs larger images",
  );
  assertEquals(tf.memory().numTensors, count);
  assertEquals(await trainer.state(), before);
  trainer.dispose();
});
