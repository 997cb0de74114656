/** Tests of what is larger than the device's bindings and cannot be split: what is said, and that all else goes on. */

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

webgpuTest("an image larger than a binding is refused, by op, shape and bytes", () => {
  assertEquals(
    refusal(() => globalAveragePool(tf.ones<tf.Rank.R4>([3, 64, 64, 6]))),
    "Cannot run PdartsGlobalAveragePool of [3,64,64,6] on webgpu: it binds 98304 bytes at once, " +
      "and the device at most 65536; use smaller images or a smaller batch",
  );
}, LIMITS);

webgpuTest("tfjs's own kernels refuse likewise, inputs and results", () => {
  const large = () => tf.tensor1d(new Float32Array(20000));
  assertMatch(refusal(() => tf.neg(large())), /^Cannot run Neg of \[20000\] .* 80000 bytes/);
  const small = () => tf.tensor1d(new Float32Array(10000));
  assertMatch(
    refusal(() => tf.tile(small(), [2])),
    /^Cannot run Tile of \[10000\] .* 80000 bytes/,
  );
}, LIMITS);

webgpuTest(
  "a resulting image larger than a binding is refused, one as large is not",
  async ({ backend }) => {
    const x = tf.ones<tf.Rank.R4>([1, 32, 32, 16]);
    await x.data();
    const { current } = backend.memory();
    const bytesOf = (results: number) => 4 * 9 * 16 * results;
    const convolution = (filter: tf.Tensor4D) =>
      branches(x, [{ kind: "identity" }, { kind: "convolution", filter, stride: 1 }])[1].y;
    const [narrow, wide] = [16, 17].map((results) => tf.ones<tf.Rank.R4>([3, 3, 16, results]));
    assertMatch(
      refusal(() => convolution(wide)),
      /^Cannot run PdartsBranches of \[1,32,32,16\] .* 69632 bytes/,
    );
    assertEquals(backend.memory().current, current + 65536 + bytesOf(17), "bytes of the inputs");
    const y = tf.tidy(() => convolution(narrow));
    assertEquals((await y.data()).at(33 * 16), 144, "an inner pixel");
    tf.dispose([x, y, narrow, wide]);
  },
  LIMITS,
);
