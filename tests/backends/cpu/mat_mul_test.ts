/** Tests of tfjs's matrix product on the CPU's own kernel. */

import * as tf from "@tensorflow/tfjs-core";
import { startCpuBackend } from "../../../backends/cpu/start.ts";
import { KernelProfile } from "../../../backends/cpu/profile.ts";
import { assertAlmostEquals, assertEquals } from "../../assert.ts";
import { permitted } from "../../permitted.ts";

/** Outer shapes of both sides, then rows, inner size and columns: ragged, shared by a batch, many blocks. */
const SHAPES: [number[], number[], [number, number, number]][] = [
  [[], [], [1, 1, 1]],
  [[], [], [3, 5, 7]],
  [[], [], [130, 33, 10]],
  [[], [], [64, 768, 36]],
  [[3], [3], [7, 6, 5]],
  [[1], [40], [16, 32, 36]],
  [[2, 5], [1], [65, 9, 17]],
];

/** Of a sum of products of values below 1, for each product. */
const TOLERANCE = 1e-6;

Deno.test({
  name: "matMul() computes products of any size, transposed or not, as plain arithmetic does",
  ignore: !permitted({ read: ["."], write: [".cache"], env: ["CI"] }),
  fn: async () => {
    const one = await startCpuBackend({ threads: 1 });
    const alone = products();
    one.close();
    const two = await startCpuBackend({ threads: 2 });
    const profile = new KernelProfile();
    Object.assign(tf.backend(), { profile });
    try {
      products().forEach(({ name, inner, result, expected }, index) => {
        const tolerance = inner * TOLERANCE;
        expected.forEach((value, i) => assertAlmostEquals(result[i], value, tolerance, name));
        assertEquals([...result], [...alone[index].result], `${name} on one thread`);
      });
      const ours = profile.totals().find(({ label }) => label === "matMul");
      assertEquals(ours?.calls, 4 * SHAPES.length, "calls of the kernel");
      assertEquals(tf.memory().numTensors, 0);
    } finally {
      two.close();
    }
  },
});

interface Product {
  name: string;
  /** Products in a sum. */
  inner: number;
  result: Float32Array;
  expected: Float64Array;
}

function products(): Product[] {
  return SHAPES.flatMap(([ofA, ofB, [rows, inner, columns]]) =>
    [[false, false], [true, false], [false, true], [true, true]].map(([turnA, turnB]) => {
      const a = values([...ofA, ...(turnA ? [inner, rows] : [rows, inner])], 1);
      const b = values([...ofB, ...(turnB ? [columns, inner] : [inner, columns])], 2);
      const result = tf.tidy(() =>
        tf.matMul(tf.tensor(a.data, a.shape), tf.tensor(b.data, b.shape), turnA, turnB).dataSync()
      ) as Float32Array;
      const name = `[${a.shape}]${turnA ? "T" : ""} x [${b.shape}]${turnB ? "T" : ""}`;
      const expected = new Float64Array(result.length), each = rows * columns;
      for (let i = 0; i < expected.length; i++) {
        const item = Math.floor(i / each),
          row = Math.floor(i / columns) % rows,
          column = i % columns;
        const startA = item * rows * inner % a.data.length;
        const startB = item * inner * columns % b.data.length;
        for (let k = 0; k < inner; k++) {
          expected[i] += a.data[startA + (turnA ? k * rows + row : row * inner + k)] *
            b.data[startB + (turnB ? column * inner + k : k * columns + column)];
        }
      }
      return { name, inner, result, expected };
    })
  );
}

/** Values between -1 and 1 that no row or column repeats. */
function values(shape: number[], seed: number): { shape: number[]; data: Float32Array } {
  const data = Float32Array.from(
    { length: tf.util.sizeFromShape(shape) },
    (_, index) => Math.sin(seed + 1.7 * index * index),
  );
  return { shape, data };
}
