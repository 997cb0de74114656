/** Tests of tensors that are larger than the device's bindings: what is said, and that all else goes on. */

import * as tf from "@tensorflow/tfjs-core";
import { BackendError, OutOfMemoryError } from "../../../backends/contract.ts";
import { branches } from "../../../backends/ops/branches.ts";
import { globalAveragePool } from "../../../backends/ops/global_average_pool.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../../assert.ts";
import { webgpuTest } from "./webgpu_test_case.ts";

/** 16384 float32 values. */
const LIMIT = 65536, LIMITS = { maxStorageBufferBindingSize: LIMIT };

/** The message of an op that is refused, which must leave no tensor behind. */
function refusal(run: () => tf.Tensor): string {
  const { numTensors } = tf.memory();
  const error = assertThrows(() => tf.tidy(run), BackendError);
  assert(!(error instanceof OutOfMemoryError), error.message);
  assertEquals(tf.memory().numTensors, numTensors, "tensors");
  return error.message;
}

webgpuTest("an input larger than a binding is refused, by op, shape and bytes", () => {
  assertEquals(
    refusal(() => globalAveragePool(tf.tensor4d(new Float32Array(19602), [3, 33, 33, 6]))),
    "Cannot run PdartsGlobalAveragePool of [3,33,33,6] on webgpu: it needs a buffer of 78408 bytes, " +
      "and the device binds at most 65536; use a smaller batch",
  );
}, LIMITS);

webgpuTest("tfjs's own kernels refuse likewise, inputs and results", () => {
  const large = () => tf.tensor1d(new Float32Array(20000));
  assertMatch(refusal(() => tf.neg(large())), /^Cannot run Neg of \[20000\] .* 80000 bytes/);
  const small = () => tf.tensor1d(new Float32Array(10000));
  assertMatch(
    refusal(() => tf.concat([small(), small()])),
    /^Cannot run Concat of \[10000\] .* 80000 bytes/,
  );
}, LIMITS);

webgpuTest(
  "a result larger than a binding is refused, one as large is not",
  async ({ backend }) => {
    const x = tf.ones<tf.Rank.R4>([1, 32, 32, 16]);
    const { current } = backend.memory();
    const pointwise = (results: number) => {
      const filter = tf.ones<tf.Rank.R4>([1, 1, 16, results]);
      return branches(x, [{ kind: "pointwise", filter, statistics: false }])[0].y;
    };
    assertMatch(
      refusal(() => pointwise(17)),
      /^Cannot run PdartsBranches of \[1,32,32,16\] .* 69632 bytes/,
    );
    assertEquals(backend.memory().current, current, "bytes");
    const y = tf.tidy(() => pointwise(16));
    assertEquals(new Set(await y.data()), new Set([16]));
    tf.dispose([x, y]);
  },
  LIMITS,
);
