/** Test that a training step of the network stays on the card: none of its kernels runs on the host. */

import * as tf from "@tensorflow/tfjs-core";
import { NetworkTrainer } from "../../evaluate/network_trainer.ts";
import { cudnnTest } from "../backends/cudnn/cudnn_test_case.ts";
import { assertEquals } from "../assert.ts";
import { tinyBatch } from "../search/tiny_network.ts";
import { tinySettings } from "./tiny_network.ts";

cudnnTest("no kernel of a network's step runs on the host, nor of evaluation", ({ cudnn }) => {
  const trainer = new NetworkTrainer(tinySettings());
  trainer.beginEpoch(2);
  for (const kind of ["trainStep", "evaluate"] as const) {
    const { numTensors } = tf.memory();
    trainer[kind](tinyBatch(1, 2, 32));
    assertEquals([...cudnn.fallbacks], [], kind);
    assertEquals(tf.memory().numTensors, numTensors, kind);
  }
  trainer.dispose();
});
