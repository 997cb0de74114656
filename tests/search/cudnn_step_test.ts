/** Test that a step of the search stays on the card: none of its kernels runs on the host. */

import * as tf from "@tensorflow/tfjs-core";
import { allPrimitives } from "../../search/edge_weights.ts";
import { StageTrainer } from "../../search/stage_trainer.ts";
import { assertEquals } from "../assert.ts";
import { cudnnTest } from "../backends/cudnn/cudnn_test_case.ts";
import { tinyBatch, tinySettings } from "./tiny_network.ts";

cudnnTest("no kernel of a search step runs on the host, nor of evaluation", async (test) => {
  const { cudnn, emulator } = test, all = allPrimitives();
  const trainer = new StageTrainer(tinySettings({ normal: all, reduce: all }));
  trainer.beginEpoch(2);
  for (const kind of ["weightStep", "alphaStep", "evaluate"] as const) {
    const { numTensors } = tf.memory();
    trainer[kind](tinyBatch(1));
    assertEquals([...cudnn.fallbacks], [], kind);
    assertEquals(tf.memory().numTensors, numTensors, kind);
  }
  const { launches } = emulator.counts();
  await trainer.report();
  assertEquals([...cudnn.fallbacks], [], "report");
  assertEquals(emulator.counts().launches, launches, "a report computes nothing");
  trainer.dispose();
});
