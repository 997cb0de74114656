/** Tests of what the normalised sum costs on a card, and of lists without terms. */

import * as tf from "@tensorflow/tfjs-core";
import { normalisedSum } from "../../../backends/ops/normalised_sum.ts";
import { assertEquals } from "../../assert.ts";
import { cudnnTest } from "./cudnn_test_case.ts";

const SHAPE: [number, number, number, number] = [2, 3, 1, 5];

cudnnTest(
  "normalisedSum() of 40 terms is one launch, and its gradient three more",
  async ({ cudnn, emulator }) => {
    const values = Array.from({ length: 40 }, (_, term) => term / 8);
    const xs = values.map((value) => tf.fill<tf.Rank.R4>(SHAPE, value));
    const weights = tf.tensor1d(values.map((value) => 1 - value)), dy = tf.fill(SHAPE, 2);
    const node = (...inputs: tf.Tensor[]) =>
      normalisedSum(
        xs.map((_, term) => ({ x: inputs[term] as tf.Tensor4D, weight: term })),
        { weights: inputs[xs.length] },
      );
    const { launches } = emulator.counts();
    const y = node(...xs, weights);
    assertEquals(emulator.counts().launches - launches, 1);
    const gradients = tf.grads(node)([...xs, weights], dy);
    assertEquals(emulator.counts().launches - launches, 1 + 1 + 3);
    assertEquals(cudnn.fallbacks.size, 0);
    const sum = values.reduce((total, value) => total + value * (1 - value), 0);
    assertEquals([...await y.data()], new Array(30).fill(sum));
    assertEquals([...await gradients[4].data()], new Array(30).fill(2 * (1 - values[4])));
    assertEquals([...await gradients[40].data()], values.map((value) => 2 * 30 * value));
    tf.dispose([y, gradients, xs, weights, dy]);
  },
);

cudnnTest("normalisedSum() of bare terms hands its gradient on, and zeros to weights", async () => {
  const x = tf.fill<tf.Rank.R4>(SHAPE, 3), weights = tf.tensor1d([1, 2]);
  const [dx, dWeights] = tf.grads((x, weights) =>
    normalisedSum([{ x: x as tf.Tensor4D }], { weights })
  )([x, weights], tf.fill(SHAPE, 2));
  assertEquals([...await dx.data()], new Array(30).fill(2));
  assertEquals([...await dWeights.data()], [0, 0]);
  tf.dispose([x, weights, dx, dWeights]);
});
