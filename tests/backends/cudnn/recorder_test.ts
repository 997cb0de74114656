/** Tests of recorded steps on cudnn: what the driver is asked, what recordings share, and failures. */

import * as tf from "@tensorflow/tfjs-core";
import { DriverError } from "../../../backends/cudnn/ffi/status.ts";
import { cudaModule } from "../../../backends/cudnn/module.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../../assert.ts";
import { descent, doubling, valuesOf, variableOf } from "../small_steps.ts";
import { cudnnTest } from "./cudnn_test_case.ts";

const MEGABYTE = 1 << 20;

cudnnTest("a replay launches one graph, and makes no block or tensor", ({ backend, emulator }) => {
  const { x, step, tensors } = doubling(), recorder = backend.createRecorder!();
  const recording = recorder.record(step, tensors), { numTensors } = tf.memory();
  recording.replay(tensors());
  const before = emulator.counts(), memory = backend.memory();
  recording.replay(tensors());
  const { graphLaunches, launches, allocations, copies } = emulator.counts();
  assertEquals(graphLaunches, before.graphLaunches + 1);
  assertEquals(launches, before.launches + 3, "a product, a sum, and the copy home");
  assertEquals([allocations, copies], [before.allocations, before.copies]);
  assertEquals([backend.memory(), tf.memory().numTensors], [memory, numTensors]);
  recorder.dispose();
  x.dispose();
});

cudnnTest("replays that wait for the card keep their numbers", async ({ backend, emulator }) => {
  const { parameter, step, tensors } = descent(), recorder = backend.createRecorder!();
  let rate = 0;
  const recording = recorder.record(() => step(() => rate), tensors);
  emulator.setDeferred(true);
  for (rate = 1; rate <= 3; rate++) recording.replay(tensors());
  assertEquals(await valuesOf(parameter), [8 - 1 - 2 - 3]);
  recorder.dispose();
  tf.dispose(tensors());
});

cudnnTest(
  "a tensor that is being read may be replayed or disposed",
  async ({ backend, emulator }) => {
    const { x, step, tensors } = doubling(), recorder = backend.createRecorder!();
    const recording = recorder.record(step, tensors);
    emulator.setDeferred(true);
    const values = [x.data()];
    recording.replay(tensors());
    values.push(x.data());
    x.dispose();
    recorder.dispose();
    assertEquals((await Promise.all(values)).map((list) => [...list]), [[1, 2, 3], [3, 6, 9]]);
    assertEquals(backend.memory().current, 0);
  },
);

cudnnTest("recordings share their memory, and dispose() frees it", ({ backend }) => {
  const recorder = backend.createRecorder!(), xs: tf.Variable<tf.Rank.R1>[] = [];
  const record = (megabytes: number) => {
    const x = variableOf(new Float32Array(megabytes * MEGABYTE / 4));
    xs.push(x);
    const step = () => tf.tidy(() => x.assign(tf.relu(tf.mul(tf.add(x, 1), x))));
    const recording = recorder.record(step, () => [x]);
    return { x, recording, reserved: backend.memory().reserved };
  };
  const first = record(24), second = record(24), smaller = record(14);
  assertEquals([second.reserved, smaller.reserved], [first.reserved, first.reserved]);
  const { current } = backend.memory();
  backend.resetPeak();
  first.recording.replay([first.x]);
  const most = backend.memory().peak - current;
  assert(most >= 3 * 24 * MEGABYTE, `${most} bytes of results`);
  recorder.dispose();
  tf.dispose(xs);
  assertEquals(backend.memory().current, 0);
  assert(backend.memory().reserved < first.reserved - most, "segments are given back");
});

cudnnTest("a step that reads a tensor cannot be recorded", async ({ backend }) => {
  const { x, tensors } = doubling(), recorder = backend.createRecorder!();
  const reading = () => tf.tidy(() => x.assign(tf.sin(x)));
  const message = "Cannot record a step that reads a tensor";
  assertThrows(() => recorder.record(reading, tensors), Error, message);
  assertEquals(await valuesOf(x), [1, 2, 3]);
  recorder.dispose();
  x.dispose();
});

cudnnTest("a constant of the host stays there, and in the recording", async ({ backend }) => {
  const { x, tensors } = doubling(), recorder = backend.createRecorder!();
  const constant = tf.tensor1d([5, 6, 7]);
  const recording = recorder.record(() => tf.tidy(() => x.assign(tf.add(x, constant))), tensors);
  assertEquals(await valuesOf(constant), [5, 6, 7]);
  constant.dispose();
  recording.replay(tensors());
  assertEquals(await valuesOf(x), [6, 8, 10]);
  recorder.dispose();
  x.dispose();
});

cudnnTest(
  "a launch that is refused while recording is named, and ends the capture",
  async (test) => {
    const { backend, cudnn } = test, recorder = backend.createRecorder!();
    const { x, step, tensors } = doubling();
    const source = `extern "C" __global__ void set(float* y) { y[threadIdx.x] = 1; }`;
    const set = cudaModule("too many threads", source).kernel("set");
    const refused = () => cudnn.launch(set, { blocks: 1, threads: 4096, arguments: { y: 0n } });
    const { message } = assertThrows(() => recorder.record(refused, tensors), DriverError);
    assertMatch(message, /cuLaunchKernel of set/);
    const recording = recorder.record(step, tensors);
    recording.replay(tensors());
    assertEquals(await valuesOf(x), [3, 6, 9]);
    recorder.dispose();
    x.dispose();
  },
);

cudnnTest("replay() on a lost card says so, and dispose() works", ({ backend, emulator }) => {
  const { x, step, tensors } = doubling(), recorder = backend.createRecorder!();
  const recording = recorder.record(step, tensors);
  emulator.loseDevice();
  const { message } = assertThrows(() => recording.replay(tensors()), DriverError);
  assertMatch(message, /cuGraphLaunch after \w+ on cudnn: CUDA_ERROR_UNKNOWN/);
  recorder.dispose();
  x.dispose();
});

cudnnTest("a recorder of a backend that was closed can be disposed", ({ backend }) => {
  const { x, step, tensors } = doubling(), recorder = backend.createRecorder!();
  const other = doubling();
  recorder.record(step, tensors).replay(tensors());
  recorder.record(other.step, other.tensors);
  other.x.dispose();
  backend.close();
  recorder.dispose();
  x.dispose();
});
