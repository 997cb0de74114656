/** Tests of recording and replaying steps, on each backend that can: what tensors hold, and what stays. */

import * as tf from "@tensorflow/tfjs-core";
import { OutOfMemoryError } from "../../backends/contract.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../assert.ts";
import { descent, doubling, valuesOf, variableOf } from "./small_steps.ts";
import { RECORDING_BACKENDS } from "./recording_backends.ts";

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
  [
    "that leaves a tensor behind",
    /1 tensors outlive it/,
    (x) => left.push(tf.tidy(() => tf.add(x, tf.zeros([5, 1])))),
  ],
  ["too large for the memory", /^Cannot allocate/, (x) => {
    tf.tidy(() => tf.add(tf.mul(x, 2), tf.zeros([1 << 15, 1])));
  }],
];

for (const { test, testInLittleMemory, kept } of RECORDING_BACKENDS) {
  test("record() runs nothing, and replay() the step", async ({ backend }) => {
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

  test("replay() reads values from wherever they came", async ({ backend }) => {
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

  test("values are those of when they were asked for", async ({ backend }) => {
    const { x, step, tensors } = doubling(), recorder = backend.createRecorder!();
    const recording = recorder.record(step, tensors);
    const seen: Promise<number[]>[] = [];
    for (let time = 0; time < 3; time++) {
      seen.push(valuesOf(x));
      recording.replay(tensors());
    }
    assertEquals(await Promise.all(seen), [[1, 2, 3], [3, 6, 9], [7, 14, 21]]);
    recorder.dispose();
    x.dispose();
    assertEquals(backend.memory().current, 0);
  });

  test("a tensor that was replaced keeps its values", async ({ backend }) => {
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

  test("replay() asks functions for their numbers", async ({ backend }) => {
    const { parameter, step, tensors } = descent(), recorder = backend.createRecorder!();
    let rate = 1;
    const live = recorder.record(() => step(() => rate), tensors);
    const fixed = recorder.record(() => step(0.5), tensors);
    for (const [recording, given, left] of [[live, 1, 7], [live, 3, 4], [fixed, 9, 3.5]] as const) {
      rate = given;
      recording.replay(tensors());
      assertEquals(await valuesOf(parameter), [left]);
    }
    recorder.dispose();
    tf.dispose(tensors());
  });

  for (const [name, message, step] of FAILING) {
    testInLittleMemory(
      `record() of a step ${name} leaves everything as it was`,
      async ({ backend, fillMemory }) => {
        const { x, step: good, tensors } = doubling(), recorder = backend.createRecorder!();
        const recording = recorder.record(good, tensors), before = backend.memory();
        const other = variableOf([5]);
        fillMemory();
        const error = assertThrows(() => recorder.record(() => step(x), () => [x, other]), Error);
        assertMatch(error.message, message);
        if (error.message.startsWith("Cannot allocate")) assert(error instanceof OutOfMemoryError);
        left.splice(0).forEach((tensor) => tensor.dispose());
        other.dispose();
        const { current, reserved } = backend.memory();
        // What `other` held may wait for the next tensor of its size.
        assertEquals([current, reserved], [before.current, before.reserved + kept]);
        recording.replay(tensors());
        assertEquals(await valuesOf(x), [3, 6, 9]);
        recorder.dispose();
        x.dispose();
        assertEquals(backend.memory().current, 0);
      },
    );
  }

  test("record() refuses tensors that share their values", ({ backend }) => {
    const { x, step } = doubling(), recorder = backend.createRecorder!(), y = tf.clone(x);
    assertThrows(() => recorder.record(step, () => [x, y]), Error, "share their values");
    recorder.dispose();
    tf.dispose([x, y]);
    assertEquals(backend.memory().current, 0);
  });
}
