/** Tests of what a failing device says: which program, at which sizes, and that the next call works. */

import * as tf from "@tensorflow/tfjs-core";
import { BackendError, OutOfMemoryError } from "../../../backends/contract.ts";
import type { WebGpuBackend } from "../../../backends/webgpu/backend.ts";
import { program } from "../../../backends/webgpu/program.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { webgpuTest } from "./webgpu_test_case.ts";

const HEADER = `
struct Uniforms { elements: i32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
`;

/** Runs a program over one tensor of 4 values and reads it. */
async function readAfter(backend: WebGpuBackend, body: string): Promise<ArrayLike<number>> {
  const y = backend.allocate([4]);
  const broken = program("double", `${HEADER}\n@compute @workgroup_size(64) fn main() { ${body} }`);
  try {
    backend.run(broken, {
      buffers: [backend.buffer(y)],
      uniforms: { elements: 4 },
      invocations: 4,
    });
    return await backend.read(y.dataId) as Float32Array;
  } finally {
    backend.disposeData(y.dataId);
  }
}

webgpuTest("a program that does not compile is named, with what is wrong", async ({ webgpu }) => {
  const error = await assertRejects(() => readAfter(webgpu, "y[0] = nonsense;"), BackendError);
  assert(/program double does not compile: .*nonsense/.test(error.message), error.message);
  assert(!error.message.includes("\n"), "one line");
});

webgpuTest("after a failure the device works on", async ({ webgpu }) => {
  await assertRejects(() => readAfter(webgpu, "y[0] = nonsense;"), BackendError);
  const values = await readAfter(webgpu, "for (var i = 0; i < u.elements; i++) { y[i] = 3.0; }");
  assertEquals([...values as Float32Array], [3, 3, 3, 3]);
});

webgpuTest("a tensor beyond the largest buffer names its bytes", ({ webgpu }) => {
  const limit = webgpu.limits.maxBufferSize, elements = Math.floor(limit / 4) + 1;
  const error = assertThrows(
    () => webgpu.allocate([elements]),
    OutOfMemoryError,
  ) as OutOfMemoryError;
  assertEquals(error.bytesAsked, 4 * elements);
});

webgpuTest("dataSync() of a tensor on the device says what to call instead", async () => {
  const x = tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 1));
  assertThrows(() => x.dataSync(), BackendError, "await data()");
  assertEquals([...await x.data()], [2, 3]);
  assertEquals([...x.dataSync()], [2, 3]);
  x.dispose();
});

Deno.test("program() reads the uniforms of its text, and refuses others", () => {
  assertEquals(program("p", HEADER).uniforms, [{ name: "elements", type: "i32" }]);
  assertThrows(() => program("p", "fn main() {}"), TypeError, "no struct Uniforms");
  assertThrows(() => program("p", "struct Uniforms { a: vec4f }"), TypeError, "a: vec4f");
});
