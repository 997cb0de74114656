/** The CPU backend as a tfjs backend, beyond what tfjs-core's own specs (tests/conformance) ask. */

import * as tf from "@tensorflow/tfjs-core";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { onComposition, onEachDevice } from "../devices.ts";

const noise = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, "float32", seed);

/** Programs that know nothing of the backend: ops of all dtypes, alone and one after another. */
const PROGRAMS: Record<string, () => tf.Tensor> = {
  conv2d: () =>
    tf.conv2d(
      noise([2, 9, 9, 3], 1) as tf.Tensor4D,
      noise([3, 3, 3, 5], 2) as tf.Tensor4D,
      2,
      "same",
    ),
  "gradient of conv2d": () =>
    tf.grad((x) => tf.conv2d(x as tf.Tensor4D, noise([3, 3, 3, 5], 2) as tf.Tensor4D, 1, "valid"))(
      noise([2, 9, 9, 3], 1),
    ),
  "transposed matMul": () => tf.matMul(noise([17, 9], 1), noise([23, 9], 2), false, true),
  softmax: () => tf.softmax(noise([5, 11], 1)),
  "batch norm and ReLU": () =>
    tf.relu(tf.batchNorm(noise([2, 4, 4, 3], 1), noise([3], 2), tf.square(noise([3], 3)))),
  "max pool": () => tf.maxPool(noise([2, 7, 7, 3], 1) as tf.Tensor4D, 3, 2, "same"),
  gather: () => tf.gather(noise([6, 4], 1), tf.tensor1d([5, 0, 5, 2], "int32")),
  "joins of strings": () =>
    tf.concat([tf.slice(tf.tensor1d(["a", "grüße", "c"]), 1), tf.tensor1d(["d"])]),
  "pieces of many rows, reversed": () =>
    tf.concat(tf.split(noise([3, 211, 12], 1), [4, 3, 5], -1).toReversed(), -1),
  "string equality": () => tf.equal(tf.tensor1d(["a", "b"]), tf.tensor1d(["a", "c"])),
  "complex product": () =>
    tf.mul(tf.complex(noise([7], 1), noise([7], 2)), tf.complex(noise([7], 3), noise([7], 4))),
  fft: () => tf.abs(tf.fft(tf.complex(noise([3, 16], 1), noise([3, 16], 2)))),
  "bool logic": () =>
    tf.logicalOr(tf.greater(noise([40], 1), 0), tf.logicalNot(tf.cast(noise([40], 2), "bool"))),
  where: () => tf.where(tf.less(noise([9], 1), 0), noise([9], 2), tf.zeros([9])),
  "int32 arithmetic": () =>
    tf.floorDiv(tf.mul(tf.range(-9, 9, 1, "int32"), tf.scalar(7, "int32")), tf.scalar(4, "int32")),
  "argMax and oneHot": () => tf.oneHot(tf.argMax(noise([6, 5], 1), 1) as tf.Tensor1D, 5),
  topk: () => tf.topk(noise([4, 9], 1), 3).indices,
  "slices, joins and transposes": () =>
    tf.concat([tf.transpose(tf.slice(noise([6, 5], 1), [1, 2], [4, 2])), noise([2, 1], 2)], 1),
  "sums over no elements": () => tf.concat([tf.zeros([0, 3]), tf.sum(tf.zeros([2, 0, 3]), 1)]),
};

/** Shape, dtype and values, with no tensor left behind. */
async function outcome(program: () => tf.Tensor): Promise<[string, (number | string)[]]> {
  const before = tf.memory().numTensors, y = tf.tidy(program);
  const values: Iterable<number | string> = await y.data();
  y.dispose();
  assertEquals(tf.memory().numTensors, before);
  return [`${y.dtype} [${y.shape}]`, [...values]];
}

onEachDevice((test, device) => {
  // tfjs-backend-webgpu's own kernels have faults that tests/conformance counts.
  if (device.fast && device.family !== "webgpu") {
    test("programs of tfjs ops give what tfjs's own backend gives", async ({ running }) => {
      for (const [name, program] of Object.entries(PROGRAMS)) {
        const [kind, values] = await outcome(program);
        const bytes = running.bytes(); // a first run may keep scratch for later ones
        await outcome(program);
        assertEquals(running.bytes(), bytes, name);
        const [expectedKind, expected] = await onComposition(() => outcome(program));
        assertEquals([kind, values.length], [expectedKind, expected.length], name);
        values.forEach((value, index) => {
          const other = expected[index],
            near = typeof value === "number" &&
              Math.abs(value - (other as number)) <= 1e-5 * (1 + Math.abs(value));
          assert(near || value === other, `${name}: ${value}, not ${other} at ${index}`);
        });
      }
    });
  }

  test("cast() to a wider type gives kernels values of that type", async () => {
    const sums = tf.tidy(() => {
      const integers = tf.tensor1d([1, -2, 3], "int32");
      const truths = tf.tensor1d([true, false, true], "bool");
      const widened = [
        tf.cast(integers, "float32"),
        tf.cast(truths, "float32"),
        tf.cast(truths, "int32"),
      ];
      return widened.map((x) => tf.add(x, x));
    });
    const values = await Promise.all(sums.map(async (sum) => [sum.dtype, ...await sum.data()]));
    tf.dispose(sums);
    assertEquals(values, [["float32", 2, -4, 6], ["float32", 2, 0, 2], ["int32", 2, 0, 2]]);
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
