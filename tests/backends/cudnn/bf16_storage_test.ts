/** Tests of results kept as bf16: rounding, steps near float32's, less memory. */

import * as tf from "@tensorflow/tfjs-core";
import type { Backend, Precision } from "../../../backends/contract.ts";
import type { CudnnBackend } from "../../../backends/cudnn/backend.ts";
import { branches } from "../../../backends/ops/branches.ts";
import { StageTrainer } from "../../../search/stage_trainer.ts";
import { assert, assertEquals } from "../../assert.ts";
import { EMULATOR_ABSENT } from "../../cuda_emulator/emulator.ts";
import { tinyBatch, tinySettings } from "../../search/tiny_network.ts";
import { startEmulated } from "./emulated.ts";

/** Runs `body` on a backend of its own. */
async function withPrecision<T>(
  precision: Precision,
  body: (backend: Backend) => Promise<T>,
): Promise<T> {
  tf.env().set("IS_TEST", true); // tfjs's greeting is no test output
  const backend = await startEmulated({ precision });
  try {
    return await body(backend);
  } finally {
    backend.close();
  }
}

function test(name: string, body: () => Promise<void>): void {
  Deno.test({
    name: `${name} [cudnn, emulated]`,
    ignore: EMULATOR_ABSENT !== undefined,
    sanitizeResources: false, // libraries stay open
    fn: body,
  });
}

/** A pool's result of a 1x1 image: its own values. */
function pooled(values: number[]): tf.Tensor4D {
  return tf.tidy(() => {
    const x = tf.tensor4d(values, [1, 1, 1, values.length]);
    return branches(x, [{ kind: "max_pool", stride: 1, statistics: false }])[0].y;
  });
}

function formOf(tensor: tf.Tensor): string {
  return (tf.backend() as unknown as CudnnBackend).results.stored(tensor).form;
}

test("a result is rounded to the nearest bf16, ties to even, and NaN and infinity stay", () =>
  withPrecision("bf16", async (backend) => {
    const above = 1 + 2 ** -8 + 2 ** -20;
    const y = pooled([1 + 2 ** -8, 1 + 3 * 2 ** -8, above, -(2 ** -130), NaN, Infinity, 3.4e38]);
    assertEquals(formOf(y), "bf16");
    const expected = [1, 1 + 2 ** -6, 1 + 2 ** -7, -(2 ** -130), NaN, Infinity, Infinity];
    assertEquals([...await y.data()], expected);
    y.dispose();
    assertEquals(backend.memory().current, 0);
  }));

test("who knows floats alone gets floats, of the rounded values", () =>
  withPrecision("bf16", async (backend) => {
    const y = pooled([1 + 2 ** -10, 3]), before = backend.memory().current;
    const twice = tf.tidy(() => tf.add(y, 1));
    assertEquals(formOf(y), "floats");
    assertEquals([...await twice.data()], [2, 4]);
    assertEquals([...await y.data()], [1, 3]);
    twice.dispose();
    assertEquals(backend.memory().current, before, "the bf16 are given back");
    const synchronous = pooled([5]);
    assertEquals([...synchronous.dataSync()], [5], "read as it is");
    tf.dispose([y, synchronous]);
    assertEquals(backend.memory().current, 0);
  }));

test("results kept as bf16 take half the memory", async () => {
  const bytesOf = (precision: Precision) =>
    withPrecision(precision, (backend) => {
      const y = pooled(Array(4096).fill(1)), bytes = backend.memory().current;
      y.dispose();
      return Promise.resolve(bytes);
    });
  assertEquals([await bytesOf("tf32"), await bytesOf("bf16")], [16384, 8192]);
});

test("a replay reads bf16, wherever they are", () =>
  withPrecision("bf16", async (backend) => {
    const recorder = backend.createRecorder!(), x = pooled([1, 2, 3]);
    const sum = tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R4>(x.shape)));
    const step = () => tf.tidy(() => sum.assign(tf.add(sum, x)));
    const recording = recorder.record(step, () => [sum, x]), other = pooled([10, 20, 30]);
    for (const given of [x, other, x]) recording.replay([sum, given]);
    assertEquals([...await sum.data()], [12, 24, 36]);
    recorder.dispose();
    tf.dispose([x, other, sum]);
    assertEquals(backend.memory().current, 0);
  }));

/** Loss of each of three rounds of steps, the bytes that they needed, and how many tensors were widened. */
async function rounds(backend: Backend, { recorded = false } = {}) {
  const cudnn = tf.backend() as unknown as CudnnBackend, { launch } = cudnn;
  let widened = 0;
  cudnn.launch = (kernel, call) => {
    widened += Number(kernel.name === "widen");
    launch.call(cudnn, kernel, call);
  };
  const recorder = recorded ? backend.createRecorder!() : undefined;
  const trainer = new StageTrainer(tinySettings(), recorder), losses: number[] = [];
  for (const round of [1, 2, 3]) {
    trainer.alphaStep(tinyBatch(round, 64));
    trainer.weightStep(tinyBatch(round + 3, 64));
    losses.push((await trainer.report("weights")).loss);
  }
  const { peak } = backend.memory();
  trainer.dispose();
  return { losses, peak, widened };
}

test("steps that keep bf16 come near to float32's in less memory, recorded ones with the same bits", async () => {
  const floats = await withPrecision("tf32", rounds);
  const plain = await withPrecision("bf16", rounds);
  const replayed = await withPrecision("bf16", (backend) => rounds(backend, { recorded: true }));
  for (const [round, loss] of floats.losses.entries()) {
    const error = Math.abs(plain.losses[round] - loss) / loss;
    assert(error > 0 && error < 2e-2, `round ${round + 1}: loss off by ${error}`);
  }
  assertEquals(replayed.losses, plain.losses);
  assertEquals([plain.widened, replayed.widened], [0, 0], "every kernel of a step reads bf16");
  const share = plain.peak / floats.peak;
  assert(share < 0.9, `${plain.peak} of ${floats.peak} bytes`);
});
