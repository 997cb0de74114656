/** Tests of recording and replaying steps: what tensors hold, what the device is asked, what stays. */

import * as tf from "@tensorflow/tfjs-core";
import { BackendError, OutOfMemoryError, type Recorder } from "../../../backends/contract.ts";
import type { HostNumber } from "../../../backends/host_number.ts";
import { sgdStep } from "../../../backends/ops/optimizer_step.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../../assert.ts";
import { webgpuTest } from "./webgpu_test_case.ts";

/** A variable that nothing else shares its values with. */
function variableOf(values: number[] | Float32Array): tf.Variable<tf.Rank.R1> {
  return tf.tidy(() => tf.variable(tf.tensor1d(values)));
}

/** A variable, and a step `x = 2 x + (1, 2, 3)` whose kernels are tfjs's own. */
function doubling() {
  const x = variableOf([1, 2, 3]);
  const step = () => tf.tidy(() => x.assign(tf.add(tf.mul(x, 2), tf.tensor1d([1, 2, 3]))));
  return { x, step, tensors: () => [x] };
}

async function valuesOf(x: tf.Tensor): Promise<number[]> {
  return [...await x.data()];
}

webgpuTest("record() runs nothing, and replay() the step", async ({ backend }) => {
  const { x, step, tensors } = doubling(), recorder = backend.createRecorder!();
  const recording = recorder.record(step, tensors);
  assertEquals(await valuesOf(x), [1, 2, 3]);
  for (const factor of [3, 7, 15]) {
    recording.replay(tensors());
    assertEquals(await valuesOf(x), [factor, 2 * factor, 3 * factor]);
  }
  recorder.dispose();
  assertEquals(await valuesOf(x), [15, 30, 45]);
  x.dispose();
});

webgpuTest("replay() reads values from wherever they came", async ({ backend }) => {
  const { x, step, tensors } = doubling(), recorder = backend.createRecorder!();
  const recording = recorder.record(step, tensors);
  tf.tidy(() => x.assign(tf.tensor1d([10, 10, 10])));
  recording.replay(tensors());
  assertEquals(await valuesOf(x), [21, 22, 23]);
  tf.tidy(() => x.assign(tf.neg(x)));
  recording.replay(tensors());
  assertEquals(await valuesOf(x), [-41, -42, -43]);
  recorder.dispose();
  x.dispose();
});

webgpuTest("a tensor that was replaced keeps its values", async ({ backend }) => {
  const recorder = backend.createRecorder!();
  let sum = tf.tensor1d([1]);
  const step = () => {
    const next = tf.tidy(() => tf.add(sum, 1)) as tf.Tensor1D;
    sum.dispose();
    sum = next;
  };
  const recording = recorder.record(step, () => [sum]);
  recording.replay([sum]);
  const former = sum;
  sum = tf.tensor1d([10]);
  recording.replay([sum]);
  assertEquals([await valuesOf(former), await valuesOf(sum)], [[2], [11]]);
  recorder.dispose();
  tf.dispose([former, sum]);
});

webgpuTest("replay() asks functions for their numbers, by their uniforms", async ({ backend }) => {
  const parameter = variableOf([8]), gradient = tf.tensor1d([1]);
  const momenta = tf.tensor1d([0]), recorder = backend.createRecorder!();
  let rate = 1;
  const record = (learningRate: HostNumber) =>
    recorder.record(() => {
      const attrs = { learningRate, clip: 5, weightDecay: 0, momentum: 0 };
      const input = { parameters: [parameter], gradients: [gradient], slots: [[momenta]] };
      const output = sgdStep(input, attrs);
      parameter.assign(output.parameters[0] as tf.Tensor1D);
      tf.dispose([output.parameters, output.slots, output.norm]);
    }, () => [parameter, gradient, momenta]);
  const live = record(() => rate), fixed = record(0.5);
  for (const [recording, given, left] of [[live, 1, 7], [live, 3, 4], [fixed, 9, 3.5]] as const) {
    rate = given;
    recording.replay([parameter, gradient, momenta]);
    assertEquals(await valuesOf(parameter), [left]);
  }
  recorder.dispose();
  tf.dispose([parameter, gradient, momenta]);
});

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

/** What the failing steps leave behind. */
const left: tf.Tensor[] = [];

/** A step that fails, and why. */
const FAILING: [name: string, message: RegExp, step: (x: tf.Variable) => void][] = [
  ["that throws", /^given up$/, (x) => {
    tf.tidy(() => {
      tf.mul(x, 2);
      throw new Error("given up");
    });
  }],
  ["that leaves a tensor behind", /1 tensors outlive it/, (x) => left.push(tf.tile(x, [5]))],
  ["too large for a buffer", /^Cannot allocate/, (x) => {
    tf.tidy(() => tf.tile(tf.mul(x, 2), [1 << 16]));
  }],
];

for (const [name, message, step] of FAILING) {
  webgpuTest(`record() of a step ${name} leaves everything as it was`, async ({ backend }) => {
    const { x, step: good, tensors } = doubling(), recorder = backend.createRecorder!();
    const recording = recorder.record(good, tensors), before = backend.memory();
    const other = variableOf([5]);
    const error = assertThrows(() => recorder.record(() => step(x), () => [x, other]), Error);
    assertMatch(error.message, message);
    if (error.message.startsWith("Cannot allocate")) assert(error instanceof OutOfMemoryError);
    left.splice(0).forEach((tensor) => tensor.dispose());
    other.dispose();
    const { current, reserved } = backend.memory();
    // The buffer of `other` waits for the next tensor of its size.
    assertEquals([current, reserved], [before.current, before.reserved + 4]);
    recording.replay(tensors());
    assertEquals(await valuesOf(x), [3, 6, 9]);
    recorder.dispose();
    x.dispose();
    assertEquals(backend.memory().current, 0);
  }, { maxBufferSize: 1 << 18 });
}

webgpuTest("record() refuses tensors that share their values", ({ backend }) => {
  const { x, step } = doubling(), recorder = backend.createRecorder!(), y = tf.clone(x);
  assertThrows(() => recorder.record(step, () => [x, y]), Error, "share their values");
  recorder.dispose();
  tf.dispose([x, y]);
  assertEquals(backend.memory().current, 0);
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
