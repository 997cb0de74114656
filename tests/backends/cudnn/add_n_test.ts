/** Test of tfjs's AddN on a card: any number of tensors, eight a launch. */

import * as tf from "@tensorflow/tfjs-core";
import { assertEquals } from "../../assert.ts";
import { cudnnTest } from "./cudnn_test_case.ts";

cudnnTest("tf.addN() adds any number of tensors and keeps none", async ({ backend, cudnn }) => {
  for (const count of [1, 2, 7, 8, 9, 15, 16, 40]) {
    const { numTensors } = tf.memory(), { current } = backend.memory();
    const sum = tf.tidy(() =>
      tf.addN(Array.from({ length: count }, (_, index) => tf.tensor1d([1, index])))
    );
    assertEquals([...await sum.data()], [count, count * (count - 1) / 2], `${count} tensors`);
    sum.dispose();
    assertEquals(tf.memory().numTensors, numTensors);
    assertEquals(backend.memory().current, current, "bytes");
  }
  assertEquals(cudnn.fallbacks.size, 0);
});
