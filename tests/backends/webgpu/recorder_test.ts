/** Tests of recorded steps on webgpu: what the device is asked, what recordings share, a lost device. */

import * as tf from "@tensorflow/tfjs-core";
import { BackendError, type Recorder } from "../../../backends/contract.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../../assert.ts";
import { doubling, variableOf } from "../small_steps.ts";
import { webgpuTest } from "./webgpu_test_case.ts";

webgpuTest("a replay makes no buffer, bind group or tensor", ({ backend, webgpu }) => {
  const { x, step, tensors } = doubling(), recorder = backend.createRecorder!();
  const recording = recorder.record(step, tensors), { numTensors } = tf.memory();
  const made: string[] = [];
  for (const name of ["createBuffer", "createBindGroup", "createComputePipeline"] as const) {
    const original = webgpu.device[name].bind(webgpu.device) as (...given: unknown[]) => unknown;
    Object.assign(webgpu.device, {
      [name]: (...given: unknown[]) => {
        made.push(name);
        return original(...given);
      },
    });
  }
  step();
  assert(made.includes("createBindGroup"), "a step that is not replayed makes some");
  recording.replay(tensors()); // brings the step's result home
  made.length = 0;
  recording.replay(tensors());
  assertEquals([made, tf.memory().numTensors], [[], numTensors]);
  recorder.dispose();
  x.dispose();
});

webgpuTest("recordings share their memory, and dispose() frees it", ({ backend }) => {
  const recorder: Recorder = backend.createRecorder!(), before = backend.memory();
  const record = (length: number) => {
    const x = variableOf(new Float32Array(length));
    recorder.record(
      () => tf.tidy(() => x.assign(tf.sqrt(tf.square(tf.exp(tf.neg(x)))))),
      () => [x],
    );
    x.dispose();
    return backend.memory().reserved;
  };
  const first = record(30000), second = record(30000), smaller = record(20000);
  assert(first - before.reserved > 3 * 4 * 30000, "homes and results");
  const homeAndUniforms = (length: number) => 4 * length + 2 ** 16;
  assert(second - first < homeAndUniforms(30000), `${first} to ${second}`);
  assert(smaller - second < homeAndUniforms(20000), `${second} to ${smaller}`);
  assertEquals(backend.memory().current, before.current);
  recorder.dispose();
  const { current, reserved } = backend.memory(), homes = 4 * (30000 + 30000 + 20000);
  assertEquals([current, reserved <= before.reserved + homes], [before.current, true]);
});

webgpuTest(
  "a result of half the size leaves a free buffer to the next whole one",
  ({ backend }) => {
    const whole = variableOf(new Float32Array(40000)), half = variableOf(new Float32Array(20000));
    const recorder = backend.createRecorder!(), { reserved } = backend.memory();
    recorder.record(() =>
      tf.tidy(() => {
        tf.neg(whole).dispose();
        return [tf.neg(half), tf.neg(whole)];
      }).forEach((tensor) => tensor.dispose()), () => [whole, half]);
    const more = backend.memory().reserved - reserved, homes = 4 * 60000, uniforms = 2 ** 16;
    assert(more < homes + 4 * (40000 + 20000) + uniforms, `${more} bytes`);
    recorder.dispose();
    tf.dispose([whole, half]);
  },
);

webgpuTest("replay() on a lost device says so in one line", async ({ backend, webgpu }) => {
  const { x, step, tensors } = doubling(), recorder = backend.createRecorder!();
  const recording = recorder.record(step, tensors);
  recording.replay(tensors());
  webgpu.device.destroy();
  await webgpu.device.lost;
  const { message } = assertThrows(() => recording.replay(tensors()), BackendError);
  assertMatch(message, /^WebGPU failed.*: the device was lost \(.+\)$/);
  recorder.dispose();
  x.dispose();
});
