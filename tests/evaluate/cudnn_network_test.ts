/** Test that a training step of the network stays on the card: none of its kernels runs on the host. */

import * as tf from "@tensorflow/tfjs-core";
import { NetworkTrainer } from "../../evaluate/network_trainer.ts";
import { cudnnTest } from "../backends/cudnn/cudnn_test_case.ts";
import { assertEquals } from "../assert.ts";
import { tinyBatch } from "../search/tiny_network.ts";
import { tinySettings } from "./tiny_network.ts";

/** Networks and sides of images; the halves of the second are odd. */
const CASES = [["cifar", 32], ["imagenet", 227]] as const;

for (const [network, side] of CASES) {
  const name = `no kernel of a step for ${network} runs on the host, nor of evaluation`;
  cudnnTest(name, ({ cudnn }) => {
    const trainer = new NetworkTrainer(tinySettings({ network }));
    trainer.beginEpoch(2);
    for (const kind of ["trainStep", "evaluate"] as const) {
      const { numTensors } = tf.memory();
      trainer[kind](tinyBatch(1, 2, side));
      assertEquals([...cudnn.fallbacks], [], kind);
      assertEquals(tf.memory().numTensors, numTensors, kind);
    }
    trainer.dispose();
  });
}
