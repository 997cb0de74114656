/**
 * The factorised convolution and the unpadded average pool on every device, with their gradients, against
 * tfjs's own convolutions, pool and batch moments on its plain backend.
 */

import * as tf from "@tensorflow/tfjs-core";
import { CounterRandom } from "../../backends/random.ts";
import { factorisedConvolution } from "../../evaluate/factorised_convolution.ts";
import { averageWindows } from "../../evaluate/taps.ts";
import { BatchNormUpdates } from "../../nn/batch_norm.ts";
import { Parameters } from "../../nn/parameters.ts";
import { normalisedSum } from "../../backends/ops/normalised_sum.ts";
import { assert } from "../assert.ts";
import { onComposition, onEachDevice } from "../backends/devices.ts";

const CHANNELS = 3, SHAPE: [number, number, number, number] = [2, 8, 12, CHANNELS];
type Pass = (x: tf.Tensor4D, ...filters: tf.Tensor[]) => tf.Tensor4D;

/** The result for inputs of these values, and the gradients of its sum weighted by sines. */
async function results(pass: Pass, inputs: readonly tf.Tensor[]): Promise<number[][]> {
  const weighted = (...values: tf.Tensor[]) =>
    tf.tidy(() => {
      const y = pass(values[0] as tf.Tensor4D, ...values.slice(1));
      const weights = Array.from({ length: y.size }, (_, index) => Math.sin(index));
      return tf.sum(tf.mul(y, tf.tensor(weights, y.shape)));
    });
  const y = tf.tidy(() => pass(inputs[0] as tf.Tensor4D, ...inputs.slice(1)));
  const gradients = tf.grads(weighted)([...inputs]);
  const read = await Promise.all([y, ...gradients].map((tensor) => tensor.array()));
  tf.dispose([y, gradients]);
  return read.map((values) => (values as number[][]).flat(3) as number[]);
}

function assertNear(actual: number[][], expected: number[][], label: string): void {
  expected.forEach((wanted, position) => {
    const largest = Math.max(...wanted.map(Math.abs));
    wanted.forEach((value, index) => {
      const error = Math.abs(actual[position][index] - value);
      assert(error <= 1e-4 * largest, `${label}, tensor ${position}, [${index}]: off by ${error}`);
    });
  });
}

/** ReLU, the two convolutions, and the batch norm by its definition. */
function plainConvolution(stride: number): Pass {
  return (x, wide, high) => {
    const pad: [number, number] = [3, 3], none: [number, number] = [0, 0];
    const rows = tf.pad(tf.relu(x), [none, none, pad, none]);
    const middle = tf.conv2d(rows, wide as tf.Tensor4D, [1, stride], "valid");
    const columns = tf.pad(middle, [none, pad, none, none]);
    const y = tf.conv2d(columns, high as tf.Tensor4D, [stride, 1], "valid");
    const centred = tf.sub(y, tf.mean(y, [0, 1, 2]));
    const variance = tf.mean(tf.square(centred), [0, 1, 2]);
    return tf.div(centred, tf.sqrt(tf.add(variance, 1e-5)));
  };
}

onEachDevice((test, device) => {
  if (!device.fast) return;

  for (const stride of [1, 2]) {
    test(`factorisedConvolution() gives plain convolutions and gradients at stride ${stride}`, async () => {
      const parameters = new Parameters(new CounterRandom(4));
      const shape = { name: "conv", channels: CHANNELS, kernel: 7, stride };
      const convolution = factorisedConvolution(parameters, shape);
      const filters = ["conv.op.1.weight", "conv.op.2.weight"]
        .map((name) => parameters.trainable().get(name)!);
      const x = tf.randomNormal(SHAPE, 0, 1, "float32", 3), inputs = [x, ...filters];
      const ours: Pass = (x) => {
        const updates = new BatchNormUpdates();
        const { y, affine } = convolution({ y: x }, { updates });
        updates.dispose();
        return normalisedSum([{ x: y, affine }]);
      };
      const actual = await results(ours, inputs);
      const values = await Promise.all(inputs.map((input) => input.data()));
      const expected = await onComposition(async () => {
        const copies = inputs.map(({ shape }, index) => tf.tensor(values[index], shape));
        const wanted = await results(plainConvolution(stride), copies);
        tf.dispose(copies);
        return wanted;
      });
      assertNear(actual, expected, `stride ${stride}`);
      x.dispose();
      parameters.dispose();
    });
  }

  test("averageWindows() gives the unpadded average pool and its gradient", async () => {
    const x = tf.randomNormal(SHAPE, 0, 1, "float32", 3), values = await x.data();
    const actual = await results((x) => averageWindows(x, { kernel: 5, stride: 3 }), [x]);
    const expected = await onComposition(async () => {
      const copy = tf.tensor(values, SHAPE);
      const wanted = await results((x) => tf.avgPool(x, 5, 3, "valid"), [copy]);
      copy.dispose();
      return wanted;
    });
    assertNear(actual, expected, "pool");
    x.dispose();
  });
});
