/** Tests of gradients: values, and that a failing pass frees what the tape saved. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { lossGradients } from "../../nn/gradients.ts";
import { assertEquals, assertThrows } from "../assert.ts";

await tf.setBackend("cpu");

Deno.test("lossGradients() returns a gradient per variable, in order", () => {
  const a = tf.variable(tf.scalar(3)), b = tf.variable(tf.tensor1d([1, 2]));
  const before = tf.memory().numTensors;
  const { loss, gradients } = lossGradients([b, a], () => tf.sum(tf.mul(tf.square(a), b)));
  assertEquals(loss.dataSync()[0], 27);
  assertEquals(gradients.map((gradient) => [...gradient.dataSync()]), [[9, 9], [18]]);
  tf.dispose([loss, gradients]);
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("lossGradients() frees what was saved when the pass throws, and can run again", () => {
  const a = tf.variable(tf.scalar(3));
  const before = tf.memory().numTensors;
  assertThrows(
    () =>
      lossGradients([a], () => {
        tf.square(tf.square(a));
        throw new RangeError("out of memory");
      }),
    RangeError,
    "out of memory",
  );
  assertEquals(tf.memory().numTensors, before);
  const { loss, gradients } = lossGradients([a], () => tf.square(a));
  assertEquals(gradients[0].dataSync()[0], 6);
  tf.dispose([loss, gradients]);
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("lossGradients() refuses a loss that does not depend on a variable", () => {
  const a = tf.variable(tf.scalar(3)), unused = tf.variable(tf.scalar(1));
  const before = tf.memory().numTensors;
  assertThrows(
    () => lossGradients([a, unused], () => tf.square(a)),
    Error,
    "the loss does not depend on variable 1",
  );
  assertEquals(tf.memory().numTensors, before);
});
