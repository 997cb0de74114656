/** The CPU backend as a tfjs backend, beyond what tfjs-core's own specs (tests/conformance) ask. */

import * as tf from "@tensorflow/tfjs-core";
import { assertEquals, assertThrows } from "../../assert.ts";
import { onEachDevice } from "../devices.ts";

onEachDevice((test) => {
  test("cast() to a wider type gives kernels values of that type", () => {
    const sums = tf.tidy(() => {
      const integers = tf.tensor1d([1, -2, 3], "int32");
      const truths = tf.tensor1d([true, false, true], "bool");
      const widened = [
        tf.cast(integers, "float32"),
        tf.cast(truths, "float32"),
        tf.cast(truths, "int32"),
      ];
      return widened.map((x) => {
        const sum = tf.add(x, x);
        return [sum.dtype, ...sum.dataSync()];
      });
    });
    assertEquals(sums, [["float32", 2, -4, 6], ["float32", 2, 0, 2], ["int32", 2, 0, 2]]);
  });

  test("split() refuses sizes that do not sum to the axis", () => {
    const x = tf.zeros([2, 4]);
    assertThrows(() => tf.split(x, [1, 2], -1));
    x.dispose();
  });

  test("dataSync() gives a copy that later tensors do not change", () => {
    const x = tf.tensor1d([1, 2, 3]);
    const values = x.dataSync();
    x.dispose();
    tf.tensor1d([4, 5, 6]).dispose();
    assertEquals([...values], [1, 2, 3]);
  });
});
