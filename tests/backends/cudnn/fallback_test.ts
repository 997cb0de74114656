/** Tests of tfjs's kernels that have none in CUDA: right, counted, and without a trace on the card. */

import * as tf from "@tensorflow/tfjs-core";
import { assertEquals } from "../../assert.ts";
import { cudnnTest } from "./cudnn_test_case.ts";

cudnnTest(
  "a kernel on the host reads the card's values, and its own reach it",
  async ({ backend, cudnn }) => {
    const { current } = backend.memory();
    const y = tf.tidy(() => {
      const x = tf.add(tf.tensor1d([1.5, 2.5, 3.5]), 1); // on the card
      return tf.mul(tf.cumsum(tf.floor(x)), 2); // on the host, and again on the card
    });
    assertEquals([...await y.data()], [4, 10, 18]);
    assertEquals([...cudnn.fallbacks], [["Floor", 1], ["Cumsum", 1]]);
    y.dispose();
    assertEquals(backend.memory().current, current);
  },
);

cudnnTest("each call of a kernel on the host is counted", ({ cudnn }) => {
  tf.tidy(() => [1, 2, 3].forEach((value) => tf.sin(tf.scalar(value))));
  tf.tidy(() => tf.clone(tf.reshape(tf.scalar(1), [1])));
  assertEquals([...cudnn.fallbacks], [["Sin", 3]]);
});

cudnnTest("truths, texts and complex numbers go through the host", async () => {
  const truths = tf.tidy(() => tf.greater(tf.add(tf.tensor1d([0, 2]), 0), 1));
  const words = tf.tidy(() => tf.concat([tf.tensor1d(["a"]), tf.tensor1d(["b"])]));
  const halves = tf.tidy(() => tf.imag(tf.complex(tf.tensor1d([1]), tf.add(tf.tensor1d([2]), 1))));
  assertEquals([...await truths.data()], [0, 1]);
  assertEquals([...await words.data<"string">()], ["a", "b"]);
  assertEquals([...await halves.data()], [3]);
  tf.dispose([truths, words, halves]);
});

cudnnTest("tensors of another backend are moved to the card", async ({ backend }) => {
  await tf.setBackend("cpu");
  const x = tf.tensor1d([1, 2]);
  await tf.setBackend(backend.tfjsName);
  const y = tf.tidy(() => tf.add(x, x));
  assertEquals([...await y.data()], [2, 4]);
  assertEquals([...x.dataSync()], [1, 2]);
  tf.dispose([x, y]);
  assertEquals(backend.memory().current, 0);
});
