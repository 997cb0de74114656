/** Tests of programs over several tensors a dispatch: their text, and packs of every size. */

import * as tf from "@tensorflow/tfjs-core";
import { sgdStep } from "../../../backends/ops/optimizer_step.ts";
import { runningStatistics } from "../../../backends/ops/running_statistics.ts";
import { packProgram } from "../../../backends/webgpu/packs.ts";
import { assert, assertEquals } from "../../assert.ts";
import { Samples } from "../samples.ts";
import { webgpuTest } from "./webgpu_test_case.ts";

const SOURCE = `struct Uniforms {
  scale: f32,
  // each
  groups#: i32,
  // end
}
@group(0) @binding(_) var<storage, read> factor: array<f32>;
// each
@group(0) @binding(_) var<storage, read> x#: array<f32>;
// end
`;

Deno.test("packProgram() repeats what is for each tensor, and numbers bindings", () => {
  const packs = packProgram("scale", SOURCE, { most: 4 });
  assertEquals(packs.buffers, { shared: 1, each: 1 });
  const { name, code, uniforms } = packs.of(2);
  assertEquals(name, "scale, 2 tensors");
  assertEquals(uniforms.map((field) => field.name), ["scale", "groups0", "groups1"]);
  assertEquals(code.match(/@binding.*/g), [
    "@binding(1) var<storage, read> factor: array<f32>;",
    "@binding(2) var<storage, read> x0: array<f32>;",
    "@binding(3) var<storage, read> x1: array<f32>;",
  ]);
  assert(packs.of(2) === packs.of(2), "pipelines are kept by program");
});

webgpuTest(
  "runPacks() gives the same bits for packs of any size",
  async ({ webgpu: { limits } }) => {
    const most = limits.maxStorageBuffersPerShaderStage, results: number[][] = [];
    for (const limit of [8, 16, most]) {
      limits.maxStorageBuffersPerShaderStage = Math.min(limit, most);
      results.push(await stepped());
    }
    for (const result of results) assertEquals(result, results[0]);
  },
);

/** Values after a step of nine parameters and their statistics. */
async function stepped(): Promise<number[]> {
  const samples = new Samples("packs");
  const list = () =>
    [1, 63, 64, 65, 7, 900, 300, 3, 128].map((size) => {
      const { values } = samples.uniform([2, size]);
      return tf.tensor2d(Float32Array.from(values), [2, size]);
    });
  const parameters = list(), gradients = list(), momenta = list();
  const outputs = tf.tidy(() => {
    const attrs = { learningRate: 0.1, clip: 5, weightDecay: 1e-3, momentum: 0.9 };
    const output = sgdStep({ parameters, gradients, slots: [momenta] }, attrs);
    const counts = parameters.map((_, index) => index + 1);
    const running = runningStatistics(parameters, gradients, { counts });
    return [output.norm, ...output.parameters, ...output.slots[0], ...running];
  });
  const values: number[] = [];
  for (const output of outputs) values.push(...await output.data());
  tf.dispose([...parameters, ...gradients, ...momenta, ...outputs]);
  return values;
}
