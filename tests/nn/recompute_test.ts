/** Tests of recomputed pieces: the bits of kept ones, what they keep, and failures. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { lossGradients } from "../../nn/gradients.ts";
import { recomputedCells, runPiece } from "../../nn/recompute.ts";
import { assertEquals, assertThrows } from "../assert.ts";

await tf.setBackend("cpu");

const VALUES = [0.3, -1.7, 2.9];

/**
 * Two pieces in a row that share an input: its gradient adds up from both, and from the loss itself, so
 * that float32 tells another order of additions.
 */
function sharedInputLoss(
  [a, b]: tf.Variable[],
  { recompute, calls = [] }: { recompute: boolean; calls?: boolean[] },
): tf.Scalar {
  const shared = tf.softmax(tf.mul(a, b));
  const piece = ([x, weights]: readonly tf.Tensor[], again: boolean): [tf.Tensor, tf.Tensor] => {
    calls.push(again);
    const scaled = tf.mul(tf.mul(x, b), weights);
    return [tf.tanh(tf.add(scaled, tf.sqrt(weights))), tf.mul(tf.sin(scaled), weights)];
  };
  const [first, unused] = runPiece([a, shared], piece, { recompute });
  unused.dispose();
  const [second, third] = runPiece([first, shared], piece, { recompute });
  return tf.sum(tf.addN([second, third, tf.exp(shared)]));
}

function bits(tensors: tf.Tensor[]): unknown[] {
  return tensors.map((tensor) => [...tensor.dataSync()]);
}

Deno.test("runPiece() gives the bits of a kept piece when it recomputes", () => {
  const variables = [tf.variable(tf.tensor1d(VALUES)), tf.variable(tf.tensor1d([0.7, 0.11, -0.6]))];
  const before = tf.memory().numTensors, results: unknown[] = [], calls: boolean[] = [];
  for (const recompute of [false, true]) {
    const { loss, gradients } = lossGradients(
      variables,
      () => sharedInputLoss(variables, { recompute, ...(recompute && { calls }) }),
    );
    results.push(bits([loss, ...gradients]));
    tf.dispose([loss, gradients]);
    assertEquals(tf.memory().numTensors, before);
  }
  assertEquals(results[1], results[0]);
  assertEquals(calls, [false, false, true, true]);
  tf.dispose(variables);
});

Deno.test("runPiece() gives one input twice the sum of its gradients", () => {
  const a = tf.variable(tf.tensor1d(VALUES));
  const { loss, gradients } = lossGradients([a], () => {
    const [product] = runPiece([a, a], ([x, y]) => [tf.mul(x, y)], { recompute: true });
    return tf.sum(product);
  });
  assertEquals(bits(gradients), bits([tf.mul(a, 2)]));
  tf.dispose([loss, gradients, a]);
});

Deno.test("runPiece() keeps its inputs alone when it recomputes", () => {
  const a = tf.variable(tf.tensor1d(VALUES)), kept: number[] = [];
  for (const recompute of [false, true]) {
    const { loss, gradients } = lossGradients([a], () => {
      const before = tf.memory().numTensors;
      const [y] = runPiece([a], ([x]) => [tf.tanh(tf.exp(tf.sin(x)))], { recompute });
      kept.push(tf.memory().numTensors - before);
      return tf.sum(y);
    });
    tf.dispose([loss, gradients]);
  }
  const [normally, recomputing] = kept;
  assertEquals([recomputing, normally > recomputing], [2, true]); // its input and its output
  a.dispose();
});

Deno.test("runPiece() runs once when no gradient is taken, or none that depends on it", () => {
  const a = tf.variable(tf.scalar(3)), x = tf.scalar(2), calls: boolean[] = [];
  const square = ([value]: readonly tf.Tensor[], again: boolean) => {
    calls.push(again);
    return [tf.square(value)];
  };
  const before = tf.memory().numTensors;
  tf.dispose(runPiece([a], square, { recompute: true }));
  const { loss, gradients } = lossGradients([a], () => {
    const [y] = runPiece([x], square, { recompute: true });
    return tf.mul(a, y) as tf.Scalar;
  });
  assertEquals(bits([loss, ...gradients]), [[12], [4]]);
  tf.dispose([loss, gradients]);
  assertEquals(calls, [false, false]);
  assertEquals(tf.memory().numTensors, before);
  tf.dispose([a, x]);
});

Deno.test("lossGradients() frees everything when a piece throws, in either pass", () => {
  const a = tf.variable(tf.tensor1d(VALUES));
  const before = tf.memory().numTensors;
  for (const failing of [false, true]) {
    const piece = ([x]: readonly tf.Tensor[], again: boolean) => {
      const y = tf.exp(tf.tanh(x));
      if (again === failing) throw new RangeError("out of memory");
      return [y];
    };
    assertThrows(
      () =>
        lossGradients([a], () => {
          const first = tf.exp(a);
          return tf.sum(runPiece([first], piece, { recompute: true })[0]);
        }),
      RangeError,
      "out of memory",
    );
    assertEquals(tf.memory().numTensors, before);
  }
  a.dispose();
});

Deno.test("recomputedCells() keeps the last cells that are no larger together than the largest", () => {
  assertEquals(recomputedCells([4]), 0);
  assertEquals(recomputedCells([4, 2, 2, 1, 1]), 2);
  assertEquals(recomputedCells([4, 2, 2, 2]), 2);
  assertEquals(recomputedCells([1, 4, 3]), 2);
  assertEquals(recomputedCells([1, 1, 1, 1]), 3);
});
