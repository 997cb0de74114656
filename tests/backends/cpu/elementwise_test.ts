/** Tests of tfjs's element-wise operations on the CPU's own kernels. */

import * as tf from "@tensorflow/tfjs-core";
import { startCpuBackend } from "../../../backends/cpu/start.ts";
import { KernelProfile } from "../../../backends/cpu/profile.ts";
import { assertEquals } from "../../assert.ts";
import { permitted } from "../../permitted.ts";

/** Elements: none, fewer than a vector, whole vectors, and on all threads with some behind them. */
const SIZES = [0, 1, 3, 4, 23, 20003];
/** Values that each size begins with, as far as they go. */
const EDGES = [NaN, -0, Infinity, -Infinity, 0, 1e-40, -1e-40];

const OPERATIONS: Record<string, [(a: tf.Tensor, b: tf.Tensor) => tf.Tensor, typeof Math.max]> = {
  addTensors: [tf.add, (a, b) => a + b],
  multiplyTensors: [tf.mul, (a, b) => a * b],
  reluTensor: [(a) => tf.relu(a), (a) => Math.max(a, 0)],
  stepTensor: [(a) => tf.step(a), (a) => isNaN(a) ? NaN : Number(a > 0)],
};

for (const [kernel, [operation, expected]] of Object.entries(OPERATIONS)) {
  Deno.test({
    name: `${kernel}() computes tensors of any size as plain arithmetic does, edges included`,
    ignore: !permitted({ read: ["."], write: [".cache"], env: ["CI"] }),
    fn: async () => {
      const backend = await startCpuBackend({ threads: 2 });
      const profile = new KernelProfile();
      Object.assign(tf.backend(), { profile });
      try {
        for (const size of SIZES) {
          const a = Float32Array.from({ length: size }, (_, i) => EDGES[i] ?? Math.sin(i));
          const b = Float32Array.from(a, (_, i) => EDGES[(i + 2) % 11] ?? Math.cos(i));
          const result = tf.tidy(() => operation(tf.tensor1d(a), tf.tensor1d(b)).dataSync());
          const wanted = Float32Array.from(a, (value, i) => expected(value, b[i]));
          assertEquals([...result], [...wanted], `${size} elements`);
        }
        const ours = profile.totals().find(({ label }) => label === kernel);
        assertEquals(ours?.calls, SIZES.length, "calls of the kernel");
        assertEquals(tf.memory().numTensors, 0);
      } finally {
        backend.close();
      }
    },
  });
}
