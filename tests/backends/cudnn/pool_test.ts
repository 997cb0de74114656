/** Test of pools on a card, of what the op suites cannot compare: values that are no numbers. */

import * as tf from "@tensorflow/tfjs-core";
import { branches } from "../../../backends/ops/branches.ts";
import { assertEquals } from "../../assert.ts";
import { cudnnTest } from "./cudnn_test_case.ts";

cudnnTest("a ReLU and a max pool keep NaN, so that a broken run shows", async () => {
  const x = tf.tensor4d([-1, NaN, 2, 0, -3, 1, 5, -2], [1, 2, 4, 1]);
  const filter = tf.ones<tf.Rank.R4>([1, 1, 1, 1]);
  const [pool, unit] = branches(x, [
    { kind: "max_pool", stride: 1, statistics: false },
    { kind: "pointwise", filter, statistics: false },
  ], { activation: "relu" });
  assertEquals([...await pool.y.data()], [NaN, NaN, NaN, 5, NaN, NaN, NaN, 5]);
  assertEquals([...await unit.y.data()], [0, NaN, 2, 0, 0, 1, 5, 0]);
  tf.dispose([x, filter, pool.y, unit.y]);
});
