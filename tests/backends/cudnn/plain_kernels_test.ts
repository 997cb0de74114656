/** Tests of tfjs's own kernels in CUDA against tfjs-backend-cpu's: none of them runs on the host. */

import * as tf from "@tensorflow/tfjs-core";
import { assert, assertEquals } from "../../assert.ts";
import { onComposition } from "../devices.ts";
import { Samples } from "../samples.ts";
import { cudnnTest } from "./cudnn_test_case.ts";

/** A computation from tensors of these shapes with values from -1 to 1, or as `from` makes them. */
interface Case {
  name: string;
  shapes: number[][];
  from?: (x: tf.Tensor) => tf.Tensor;
  run: (...x: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
}

const positive = (x: tf.Tensor) => tf.add(tf.square(x), 0.1);

const CASES: Case[] = [
  { name: "neg", shapes: [[3, 5]], run: (x) => tf.neg(x) },
  { name: "relu", shapes: [[300]], run: (x) => tf.relu(x) },
  { name: "step", shapes: [[300]], run: (x) => tf.step(tf.relu(x)) },
  { name: "step of NaN", shapes: [[1]], run: (x) => tf.step(tf.mul(x, NaN)) },
  { name: "square", shapes: [[]], run: (x) => tf.square(x) },
  { name: "sqrt", shapes: [[7]], from: positive, run: (x) => tf.sqrt(x) },
  { name: "rsqrt", shapes: [[7]], from: positive, run: (x) => tf.rsqrt(x) },
  { name: "add of one shape", shapes: [[2, 3, 4, 5], [2, 3, 4, 5]], run: (a, b) => tf.add(a, b) },
  { name: "add of a bias", shapes: [[4, 5], [5]], run: (a, b) => tf.add(a, b) },
  { name: "sub of a scalar", shapes: [[], [3, 2]], run: (a, b) => tf.sub(a, b) },
  { name: "mul of a column", shapes: [[14, 1], [14, 8]], run: (a, b) => tf.mul(a, b) },
  { name: "mul both ways", shapes: [[3, 1, 4, 1], [2, 1, 5]], run: (a, b) => tf.mul(a, b) },
  { name: "div", shapes: [[6], [6]], from: positive, run: (a, b) => tf.div(a, b) },
  { name: "add of no values", shapes: [[0, 3], [3]], run: (a, b) => tf.add(a, b) },
  { name: "sum of all", shapes: [[5, 61]], run: (x) => tf.sum(x) },
  { name: "sum over rows", shapes: [[33, 5]], run: (x) => tf.sum(x, 0) },
  { name: "sum, axis kept", shapes: [[14, 8]], run: (x) => tf.sum(x, 1, true) },
  { name: "sum over the middle", shapes: [[2, 3, 4, 5]], run: (x) => tf.sum(x, [1, 2]) },
  { name: "softmax", shapes: [[14, 8]], run: (x) => tf.softmax(x) },
  { name: "softmax of wide rows", shapes: [[3, 100]], run: (x) => tf.softmax(tf.mul(x, 50)) },
  { name: "matMul", shapes: [[4, 32], [32, 5]], run: (a, b) => tf.matMul(a, b) },
  {
    name: "matMul, a transposed",
    shapes: [[35, 20], [35, 17]],
    run: (a, b) => product(a, b, 1, 0),
  },
  { name: "matMul, b transposed", shapes: [[4, 5], [32, 5]], run: (a, b) => product(a, b, 0, 1) },
  { name: "matMul, both", shapes: [[20, 4], [6, 20]], run: (a, b) => product(a, b, 1, 1) },
  { name: "matMul of batches", shapes: [[3, 4, 5], [3, 5, 2]], run: (a, b) => tf.matMul(a, b) },
  { name: "matMul by one", shapes: [[3, 4, 5], [1, 5, 2]], run: (a, b) => tf.matMul(a, b) },
  {
    name: "concat of channels",
    shapes: [[2, 3, 4], [2, 3, 1]],
    run: (a, b) => tf.concat([a, b], -1),
  },
  { name: "concat of batches", shapes: [[2, 3], [1, 3]], run: (a, b) => tf.concat([a, b], 0) },
  { name: "split", shapes: [[2, 3, 8]], run: (x) => tf.split(x, [1, 5, 2], 2) },
  { name: "stack", shapes: [[2, 3], [2, 3]], run: (a, b) => tf.stack([a, b], 1) },
  { name: "unstack", shapes: [[2, 5]], run: (x) => tf.unstack(x) },
  { name: "unstack of columns", shapes: [[3, 2, 5]], run: (x) => tf.unstack(x, 1) },
  { name: "slice", shapes: [[4, 5, 6]], run: (x) => tf.slice(x, [0, 2, 0], [4, 2, 6]) },
  { name: "slice of all", shapes: [[4]], run: (x) => tf.slice(x, [0]) },
  { name: "onesLike and zerosLike", shapes: [[3]], run: (x) => [tf.onesLike(x), tf.zerosLike(x)] },
  { name: "fill", shapes: [], run: () => tf.fill([2, 3], 1.5) },
  { name: "reshape", shapes: [[2, 3]], run: (x) => tf.expandDims(tf.reshape(x, [6]), 1) },
  {
    name: "cast of integers",
    shapes: [],
    run: () => tf.cast(tf.tensor1d([-3, 7], "int32"), "float32"),
  },
  { name: "cast to the same", shapes: [[5]], run: (x) => tf.cast(tf.neg(x), "float32") },
  { name: "cast of truths", shapes: [], run: () => [casted("float32"), casted("int32")] },
];

function product(a: tf.Tensor, b: tf.Tensor, transposeA: number, transposeB: number): tf.Tensor {
  return tf.matMul(a, b, transposeA === 1, transposeB === 1);
}

function casted(dtype: "float32" | "int32"): tf.Tensor {
  return tf.cast(tf.tensor1d([true, false, true], "bool"), dtype);
}

/** Shapes, dtypes and values of the results. */
async function evaluate({ name, shapes, from = (x) => x, run }: Case) {
  const samples = new Samples(name);
  const results = tf.tidy(() => {
    const inputs = shapes.map((shape) =>
      from(tf.tensor(new Float32Array(samples.uniform(shape).values), shape))
    );
    return [run(...inputs)].flat();
  });
  const values = await Promise.all(results.map((result) => result.data()));
  tf.dispose(results);
  return results.map(({ shape, dtype }, index) => ({ shape, dtype, values: [...values[index]] }));
}

cudnnTest("plain tfjs kernels give what tfjs-backend-cpu gives", async ({ backend, cudnn }) => {
  for (const one of CASES) {
    const { numTensors } = tf.memory(), { current } = backend.memory();
    const actual = await evaluate(one), expected = await onComposition(() => evaluate(one));
    assertEquals(
      actual.map(({ shape, dtype }) => ({ shape, dtype })),
      expected.map(({ shape, dtype }) => ({ shape, dtype })),
      one.name,
    );
    actual.forEach(({ values }, index) =>
      values.forEach((value, at) => {
        const want = expected[index].values[at];
        const near = Object.is(value, want) ||
          Math.abs(value - want) <= 1e-5 * Math.max(1, Math.abs(want));
        assert(near, `${one.name}: [${at}] is ${value}, not ${want}`);
      })
    );
    assertEquals([...cudnn.fallbacks], [], one.name);
    assertEquals(tf.memory().numTensors, numTensors, one.name);
    assertEquals(backend.memory().current, current, one.name);
  }
});
