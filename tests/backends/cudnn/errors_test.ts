/** Tests of what a failing card says: which call and kernel, in one line; and that nothing leaks. */

import * as tf from "@tensorflow/tfjs-core";
import { BackendError, OutOfMemoryError } from "../../../backends/contract.ts";
import { DriverError } from "../../../backends/cudnn/ffi/status.ts";
import { cudaModule } from "../../../backends/cudnn/module.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "../../assert.ts";
import { cudnnTest } from "./cudnn_test_case.ts";
import { startEmulated } from "./emulated.ts";

const SOURCE = `extern "C" __global__ void set(float* y, float value) { y[threadIdx.x] = value; }`;
const SET = cudaModule("a test's", SOURCE).kernel("set");

/** Values that are on the card. */
function computed(): tf.Tensor {
  return tf.tidy(() => tf.add(tf.tensor1d([1, 2, 3]), 1));
}

cudnnTest("a kernel's arguments are named where they do not fit", ({ cudnn }) => {
  const y = cudnn.allocate([32]), call = { blocks: 1, threads: 32 };
  const at = { y: cudnn.address(y) };
  assertThrows(
    () => cudnn.launch(SET, { ...call, arguments: at }),
    TypeError,
    'CUDA kernel set: argument "value" (float) is missing',
  );
  cudnn.launch(SET, { ...call, arguments: { ...at, value: 2 } });
  assertEquals([...cudnn.readSync(y.dataId) as Float32Array], new Array(32).fill(2));
  cudnn.disposeData(y.dataId);
});

cudnnTest("a kernel that does not compile is named, with what is wrong", ({ cudnn }) => {
  const broken = cudaModule("broken", SOURCE.replace("= value", "= nonsense")).kernel("set");
  const call = { blocks: 1, threads: 32, arguments: { y: 0n, value: 1 } };
  const { message } = assertThrows(() => cudnn.launch(broken, call), BackendError);
  assertMatch(message, /^Cannot compile broken: .*nonsense/);
  assert(!message.includes("\n"), "one line");
});

cudnnTest("a launch that the driver refuses is named, with its size", ({ cudnn }) => {
  const call = { blocks: 2, threads: 4096, arguments: { y: 0n, value: 1 } };
  const error = assertThrows(() => cudnn.launch(SET, call), DriverError);
  assertMatch(error.message, /cuLaunchKernel of set with 2 x 1 x 1 blocks of 4096 threads/);
});

cudnnTest("no blocks are no launch", ({ cudnn, emulator }) => {
  const { launches } = emulator.counts(), call = { threads: 32, arguments: { y: 0n, value: 1 } };
  cudnn.launch(SET, { ...call, blocks: 0 });
  cudnn.launch(SET, { ...call, blocks: [3, 0, 1] });
  assertEquals(emulator.counts().launches, launches);
});

cudnnTest(
  "a kernel that fails on the card is told by the read, and closing works",
  async (test) => {
    const { backend, emulator } = test;
    const y = computed();
    emulator.setDeferred(true);
    emulator.failLaunch(1);
    const z = computed();
    const { message } = await assertRejects(() => z.data(), DriverError);
    assertMatch(
      message,
      /^Cannot run cu\w+ after binary on cudnn: CUDA_ERROR_\w+, .*\(status \d+\)$/,
    );
    assertThrows(() => y.dataSync(), DriverError);
    tf.dispose([y, z]);
    backend.close();
    emulator.reset();
    const next = await startEmulated(), x = computed();
    assertEquals([...await x.data()], [2, 3, 4]);
    x.dispose();
    next.close();
  },
);

cudnnTest("once the card is lost, every op and read says so", async ({ emulator }) => {
  const y = computed();
  emulator.loseDevice();
  for (let time = 0; time < 2; time++) {
    assertThrows(computed, DriverError, "CUDA_ERROR_UNKNOWN");
    await assertRejects(() => y.data(), DriverError, "CUDA_ERROR_UNKNOWN");
  }
  y.dispose();
});

cudnnTest(
  "memory that runs out is told with its bytes, and leaves nothing behind",
  async (test) => {
    const { backend, emulator } = test, width = 1 << 16, megabyte = 1 << 20;
    const x = tf.tidy(() => tf.add(tf.zeros([width]), 1)), { numTensors } = tf.memory();
    const { current } = backend.memory(), { liveBytes } = emulator.counts();
    emulator.setMemoryBytes(liveBytes + 8 * megabyte);
    const wide = () => tf.tidy(() => tf.add(tf.reshape(x, [1, width]), tf.zeros([128, 1])));
    const error = assertThrows(wide, OutOfMemoryError) as OutOfMemoryError;
    assertEquals([error.bytesAsked, error.bytesInUse], [32 * megabyte, current]);
    assertEquals([tf.memory().numTensors, backend.memory().current], [numTensors, current]);
    emulator.setMemoryBytes(liveBytes + 80 * megabyte);
    const y = wide();
    assertEquals((await y.data()).length, 128 * width);
    tf.dispose([x, y]);
    assertEquals(backend.memory().current, 0);
  },
);

cudnnTest(
  "memory that runs out within a kernel takes the tensors it had made",
  ({ cudnn, backend }) => {
    const { current } = backend.memory();
    assertThrows(
      () =>
        cudnn.scope.attempt(() => {
          cudnn.share(cudnn.allocate([5]));
          cudnn.allocate([2 ** 40]);
        }),
      OutOfMemoryError,
    );
    assertEquals([backend.memory().current, cudnn.numDataIds()], [current, 0]);
  },
);

cudnnTest("close() gives the card's memory back", async ({ backend, emulator }) => {
  const x = computed(), y = computed();
  const { liveBytes } = emulator.counts(), { reserved } = backend.memory();
  assert(reserved > 0);
  emulator.setDeferred(true);
  const reading = y.data();
  backend.close();
  assertEquals(emulator.counts().liveBytes, liveBytes - reserved);
  await assertRejects(() => reading, BackendError, "its backend was closed");
  assertThrows(() => x.dataSync(), BackendError, "its backend was closed");
  tf.dispose([x, y]);
});
