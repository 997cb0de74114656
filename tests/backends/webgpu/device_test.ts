/** Tests of the size of workgroups: what an adapter gets, and that results do not depend on it. */

import * as tf from "@tensorflow/tfjs-core";
import type { Backend } from "../../../backends/contract.ts";
import { startWebGpuBackend, type WebGpuBackend } from "../../../backends/webgpu/backend.ts";
import { workgroupSize } from "../../../backends/webgpu/device.ts";
import { EDGES, type Primitive } from "../../../nn/primitives.ts";
import { StageTrainer } from "../../../search/stage_trainer.ts";
import { assertEquals } from "../../assert.ts";
import { tinyBatch, tinySettings } from "../../search/tiny_network.ts";
import { SMALLEST_LIMITS } from "../devices.ts";
import { webgpuTest } from "./webgpu_test_case.ts";

Deno.test("workgroupSize() holds a whole subgroup, within the limits", () => {
  assertEquals(workgroupSize(SMALLEST_LIMITS, { subgroupMaxSize: 8 }), 64);
  assertEquals(workgroupSize(SMALLEST_LIMITS, { subgroupMaxSize: 128 }), 128);
  const narrow = { ...SMALLEST_LIMITS, maxComputeWorkgroupSizeX: 32 };
  assertEquals(workgroupSize(narrow, { subgroupMaxSize: 0 }), 32);
  const small = { ...SMALLEST_LIMITS, maxComputeInvocationsPerWorkgroup: 48 };
  assertEquals(workgroupSize(small, { subgroupMaxSize: 64 }), 48);
});

/** Two primitives an edge: few programs to compile for the other size, of every kind. */
const KEPT: Primitive[][] = EDGES.map((_, edge) =>
  edge % 2 === 0 ? ["skip_connect", "max_pool_3x3"] : ["avg_pool_3x3", "sep_conv_3x3"]
);

/** What three recorded steps make of a network. */
async function trained(backend: Backend) {
  const trainer = new StageTrainer(
    tinySettings({ skipDropout: 0.3, normal: KEPT, reduce: KEPT }),
    backend.createRecorder!(),
  );
  trainer.weightStep(tinyBatch(1));
  trainer.alphaStep(tinyBatch(2));
  trainer.weightStep(tinyBatch(3));
  const state = await trainer.state();
  trainer.dispose();
  return state;
}

webgpuTest("workgroups of 24 give the bits of those of 64", async ({ backend, webgpu }) => {
  assertEquals(webgpu.workgroup, 64);
  const expected = await trained(backend);
  const other = await startWebGpuBackend({}, { maxComputeInvocationsPerWorkgroup: 24 });
  try {
    assertEquals((tf.backend() as WebGpuBackend).workgroup, 24);
    assertEquals(await trained(other), expected);
  } finally {
    other.close();
  }
}, { maxComputeInvocationsPerWorkgroup: 64 });
