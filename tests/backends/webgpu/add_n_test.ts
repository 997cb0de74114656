/** Test of tfjs's AddN on a device with the fewest bindings. */

import * as tf from "@tensorflow/tfjs-core";
import { assertEquals } from "../../assert.ts";
import { SMALLEST_LIMITS } from "../devices.ts";
import { webgpuTest } from "./webgpu_test_case.ts";

webgpuTest("tf.addN() adds any number of tensors and keeps none", async ({ backend }) => {
  for (const count of [1, 2, 7, 8, 13, 14, 40]) {
    const { numTensors } = tf.memory(), { current } = backend.memory();
    const sum = tf.tidy(() =>
      tf.addN(Array.from({ length: count }, (_, index) => tf.tensor1d([1, index])))
    );
    assertEquals([...await sum.data()], [count, count * (count - 1) / 2], `${count} tensors`);
    sum.dispose();
    assertEquals(tf.memory().numTensors, numTensors);
    assertEquals(backend.memory().current, current, "bytes");
  }
}, SMALLEST_LIMITS);
