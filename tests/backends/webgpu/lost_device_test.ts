/** Tests of a device that is lost: every call says so in one line, and closing the backend is no loss. */

import * as tf from "@tensorflow/tfjs-core";
import { BackendError } from "../../../backends/contract.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "../../assert.ts";
import { webgpuTest } from "./webgpu_test_case.ts";

/** Values that are not read yet: a tensor that was keeps them on the host. */
function computed(): tf.Tensor {
  return tf.tidy(() => tf.add(tf.tensor1d([1, 2, 3]), 1));
}

webgpuTest("once the device is lost, every op and read says so", async ({ webgpu: { device } }) => {
  const x = computed(), y = computed();
  assertEquals([...await x.data()], [2, 3, 4]);
  device.destroy();
  await device.lost;
  for (let time = 0; time < 2; time++) {
    const { message } = assertThrows(computed, BackendError);
    assertMatch(message, /^WebGPU failed.*: the device was lost \(.+\)$/);
    await assertRejects(() => y.data(), BackendError, message);
  }
  tf.dispose([x, y]);
});

webgpuTest("a device lost within a step fails it in one line", async ({ webgpu: { device } }) => {
  const y = computed();
  device.destroy();
  // Its loss is told to nobody before the event loop turns.
  const { message } = assertThrows(computed, BackendError);
  assertMatch(message, /^WebGPU failed: .* may be lost/);
  assert(!message.includes("\n"), message);
  await assertRejects(() => y.data(), BackendError, "the device was lost");
  y.dispose();
});

webgpuTest("a read under way when the device is lost says so", async ({ webgpu: { device } }) => {
  const y = computed(), reading = y.data();
  device.destroy();
  await assertRejects(() => reading, BackendError, "the device was lost");
  y.dispose();
});

webgpuTest(
  "a closed backend has lost no device, and another starts",
  async ({ backend, webgpu }) => {
    backend.close();
    await webgpu.device.lost;
    const { startWebGpuBackend } = await import("../../../backends/webgpu/backend.ts");
    const next = await startWebGpuBackend();
    const x = computed();
    assertEquals([...await x.data()], [2, 3, 4]);
    x.dispose();
    next.close();
  },
);
