/**
 * Tests of the stage trainer on plain tfjs: tensor counts, reports, what a step changes, errors.
 * stage_trainer_devices_test.ts has those that take many steps.
 */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { searchConfig } from "../../search/config.ts";
import { stageSettings, StageTrainer } from "../../search/stage_trainer.ts";
import {
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "../assert.ts";
import { keptThree, tinyBatch, tinySettings } from "./tiny_network.ts";

await tf.setBackend("cpu");

Deno.test("every step returns to the tensor count before it, and dispose() to none", async () => {
  const start = tf.memory().numTensors;
  const trainer = new StageTrainer(tinySettings());
  const before = tf.memory().numTensors;
  const steps = {
    weightStep: () => trainer.weightStep(tinyBatch(1)),
    alphaStep: () => trainer.alphaStep(tinyBatch(2)),
    evaluate: () => trainer.evaluate(tinyBatch(3)),
    report: () => trainer.report(),
    alphas: () => trainer.alphas(),
    state: () => trainer.state(),
    restore: async () => trainer.restore(await trainer.state()),
  };
  for (const [name, step] of Object.entries(steps)) {
    await step();
    assertEquals(tf.memory().numTensors, before, name);
  }
  trainer.dispose();
  assertEquals(tf.memory().numTensors, start);
});

Deno.test("alphaStep() changes the alphas and the running statistics, not the weights", async () => {
  const trainer = new StageTrainer(tinySettings());
  const before = await trainer.state();
  trainer.alphaStep(tinyBatch(1));
  const after = await trainer.state();
  const changed = [...after.tensors].filter(([name, { data }]) =>
    name.startsWith("network.") && String(data) !== String(before.tensors.get(name)!.data)
  ).map(([name]) => name);
  const kind = (name: string) =>
    /alphas_|running_|num_batches/.exec(name)?.[0] ?? "weights of " + name;
  assertEquals([...new Set(changed.map(kind))].sort(), ["alphas_", "num_batches", "running_"]);
  assertEquals(after.counters.passes, 1);
  trainer.dispose();
});

Deno.test("report() gives means since the last report, each kind apart", async () => {
  const trainer = new StageTrainer(tinySettings());
  const nothing = { loss: 0, top1: 0, top5: 0, samples: 0 };
  assertEquals(await trainer.report(), nothing);
  trainer.evaluate(tinyBatch(1, 4));
  const first = await trainer.report("evaluation");
  trainer.evaluate(tinyBatch(2, 2));
  const second = await trainer.report("evaluation");
  trainer.evaluate(tinyBatch(1, 4));
  trainer.evaluate(tinyBatch(2, 2));
  assertEquals(await trainer.report("weights"), nothing);
  const both = await trainer.report("evaluation");
  assertEquals(both.samples, 6);
  assertAlmostEquals(both.loss, (4 * first.loss + 2 * second.loss) / 6, 1e-5);
  assertAlmostEquals(both.top1, (4 * first.top1 + 2 * second.top1) / 6, 1e-6);
  assertEquals(both.top5, 1, "five classes are all among the first five");
  assertEquals(await trainer.report("evaluation"), nothing);
  trainer.dispose();
});

Deno.test("alphas() gives softmax weights in float64, near uniform at first", async () => {
  const trainer = new StageTrainer(tinySettings());
  const { normal, reduce } = await trainer.alphas();
  for (const row of [...normal, ...reduce]) {
    assertEquals(row.length, 3);
    assertAlmostEquals(row.reduce((sum, weight) => sum + weight, 0), 1, 1e-12);
    for (const weight of row) assertAlmostEquals(weight, 1 / 3, 3e-3);
  }
  assertNotEquals(normal, reduce);
  trainer.dispose();
});

Deno.test("beginEpoch() sets the rates of the epoch", () => {
  const trainer = new StageTrainer(tinySettings({ skipDropout: 0.4 }));
  assertEquals(trainer.beginEpoch(0).learningRate, 0.025);
  const middle = trainer.beginEpoch(2);
  assertAlmostEquals(middle.learningRate, 0.0125, 1e-12);
  assertEquals(middle.skipDropout, 0.4);
  trainer.dispose();
});

Deno.test("StageTrainer starts from other numbers for another seed or stage", async () => {
  const weights = async (changes: { seed?: number; stage?: number }) => {
    const trainer = new StageTrainer(tinySettings(changes));
    const { tensors } = await trainer.state();
    trainer.dispose();
    return tensors.get("network.classifier.weight")!.data;
  };
  assertEquals(await weights({}), await weights({}));
  assertNotEquals(await weights({ seed: 6 }), await weights({}));
  assertNotEquals(await weights({ stage: 2 }), await weights({}));
});

Deno.test("restore() names what does not fit", async () => {
  const trainer = new StageTrainer(tinySettings());
  const { tensors, counters } = await trainer.state();
  const without = (name: string) => new Map([...tensors].filter(([key]) => key !== name));
  assertThrows(
    () => trainer.restore({ tensors: without("network.stem.0.weight"), counters }),
    RangeError,
    '"stem.0.weight" is missing',
  );
  assertThrows(
    () => trainer.restore({ tensors: without("metrics.alphas"), counters }),
    RangeError,
    '"alphas" is missing',
  );
  assertThrows(
    () => trainer.restore({ tensors, counters: { ...counters, passes: 0.5 } }),
    RangeError,
    'want a count "passes", got 0.5',
  );
  trainer.dispose();
});

Deno.test("a step that fails changes nothing and leaves no tensor behind", async () => {
  const trainer = new StageTrainer(tinySettings());
  const before = await trainer.state(), count = tf.memory().numTensors;
  const bad = { ...tinyBatch(1), labels: Int32Array.of(0, 1, 2) };
  assertThrows(() => trainer.weightStep(bad), RangeError, "got 3 labels");
  const none = { images: new Float32Array(0), labels: Int32Array.of(1), size: 1 };
  assertThrows(() => trainer.weightStep(none), RangeError, "got [1,0,0,3]");
  assertEquals(tf.memory().numTensors, count);
  assertEquals(await trainer.state(), before);
  trainer.weightStep(tinyBatch(1));
  assertEquals(tf.memory().numTensors, count);
  trainer.dispose();
  await assertRejects(() => trainer.state());
});

Deno.test("stageSettings() takes a stage's own numbers", () => {
  const config = searchConfig("authors", { addedChannels: [0, 8, 16] });
  const which = { classes: 10, normal: keptThree(0), reduce: keptThree(1) };
  const { layers, channels, skipDropout } = stageSettings(config, { ...which, stage: 2 });
  assertEquals([layers, channels, skipDropout], [17, 32, 0.7]);
  assertThrows(
    () => stageSettings(config, { ...which, stage: 3 }),
    RangeError,
    "Cannot train stage 3: the search has 3",
  );
});
