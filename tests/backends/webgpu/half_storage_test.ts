/** Tests of results kept as half floats: ops near float64, steps near float32's, less memory. */

import * as tf from "@tensorflow/tfjs-core";
import { branches } from "../../../backends/ops/branches.ts";
import { type Backend, BackendError, type StorageType } from "../../../backends/contract.ts";
import { startBackend } from "../../../backends/mod.ts";
import { startWebGpuBackend, type WebGpuBackend } from "../../../backends/webgpu/backend.ts";
import type { LimitName } from "../../../backends/webgpu/device.ts";
import { StageTrainer } from "../../../search/stage_trainer.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { tinyBatch, tinySettings } from "../../search/tiny_network.ts";
import { adapter } from "../adapter.ts";
import { checkCases, type OpCase } from "../op_case.ts";
import { NODE_CASES, nodeCase } from "../ops/node_cases.ts";
import { FLOAT16_STORAGE } from "../tolerances.ts";
import { withoutFeatures } from "./without_features.ts";

/** Runs `body` on a backend of its own; `limits` are smaller than the adapter's. */
async function withStorage<T>(
  storage: StorageType,
  body: (backend: Backend) => Promise<T>,
  limits: Partial<Record<LimitName, number>> = {},
): Promise<T> {
  tf.env().set("IS_TEST", true); // tfjs's greeting is no test output
  const backend = await startWebGpuBackend({ storage }, limits);
  try {
    return await body(backend);
  } finally {
    backend.close();
  }
}

function test(name: string, body: (context: Deno.TestContext) => Promise<void>): void {
  Deno.test({
    name: `${name} [webgpu]`,
    ignore: !adapter?.features.has("shader-f16"),
    sanitizeOps: false,
    sanitizeResources: false,
    fn: body,
  });
}

/** Compares cases with float64. */
function checkHalves(
  backend: Backend,
  context: Deno.TestContext,
  cases: readonly OpCase[],
): Promise<void> {
  const running = { bytes: () => backend.memory().current, close: () => {} };
  const device = {
    name: "webgpu, f16",
    family: "webgpu with f16",
    fast: true,
    tolerance: FLOAT16_STORAGE,
    start: () => Promise.resolve(running),
  };
  return checkCases({ device, running, context }, cases);
}

test("nodes are as near to float64 as half floats let them", (context) =>
  withStorage("f16", (backend) => checkHalves(backend, context, NODE_CASES)));

/** Slices of these images are of 128, the last one of 294 bytes; of their pixels, of 101 times 64 floats. */
const SLICED = nodeCase({
  x: [257, 7, 7, 3],
  activation: "relu",
  branches: [
    { kind: "max_pool", stride: 1 },
    { kind: "separable", kernel: 3, results: 3, norm: true },
    { kind: "pointwise", results: 3 },
    { kind: "convolution", kernel: 3, results: 3 },
    { kind: "identity" },
  ],
});

test("halves beyond a binding are taken in slices", (context) =>
  withStorage(
    "f16",
    (backend) => checkHalves(backend, context, [SLICED]),
    { maxStorageBufferBindingSize: 78000 },
  ));

/** A pool's result of a 1x1 image: its own values. */
function pooled(values: number[]): tf.Tensor4D {
  return tf.tidy(() => {
    const x = tf.tensor4d(values, [1, 1, 1, values.length]);
    return branches(x, [{ kind: "max_pool", stride: 1, statistics: false }])[0].y;
  });
}

test("a result is rounded to half, once, whoever reads it", async () => {
  await withStorage("f16", async (backend) => {
    const y = pooled([1 + 2 ** -10, 1 + 2 ** -13, -65504]),
      { halves } = tf.backend() as WebGpuBackend;
    assertEquals(halves.form(y), "halves");
    const twice = tf.tidy(() => tf.add(y, 1));
    assertEquals([...await twice.data()], [2 + 2 ** -10, 2, -65503]);
    assertEquals(halves.form(y), "floats", "after an op that does not know halves");
    assertEquals([...await y.data()], [1 + 2 ** -10, 1, -65504]);
    const z = pooled([3]);
    assertEquals([...await z.data()], [3], "read as it is");
    tf.dispose([y, twice, z]);
    assertEquals(backend.memory().current, 0);
  });
});

test("a replay reads halves, wherever they are", async () => {
  await withStorage("f16", async (backend) => {
    const recorder = backend.createRecorder!(),
      x = pooled([1, 2, 3]),
      sum = tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R4>(x.shape)));
    const step = () => tf.tidy(() => sum.assign(tf.add(sum, x)));
    const recording = recorder.record(step, () => [sum, x]), other = pooled([10, 20, 30]);
    for (const given of [x, other, x]) recording.replay([sum, given]);
    assertEquals([...await sum.data()], [12, 24, 36]);
    recorder.dispose();
    tf.dispose([x, other, sum]);
    assertEquals(backend.memory().current, 0);
  });
});

/** Loss of each of three rounds of steps, the bytes that they needed, and how many tensors were widened. */
async function rounds(backend: Backend, { recorded = false } = {}) {
  const webgpu = tf.backend() as WebGpuBackend, { run } = webgpu;
  let widened = 0;
  webgpu.run = (program, call) => {
    widened += Number(program.name.startsWith("halves to floats"));
    run.call(webgpu, program, call);
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

test("steps come near to those that keep float32, in less memory", async () => {
  const floats = await withStorage("f32", rounds), halves = await withStorage("f16", rounds);
  for (const [round, loss] of floats.losses.entries()) {
    const error = Math.abs(halves.losses[round] - loss) / loss;
    assert(error > 0 && error < 5e-3, `round ${round + 1}: loss off by ${error}`);
  }
  assertEquals(halves.widened, 0, "every kernel of a step reads halves");
  const share = halves.peak / floats.peak;
  assert(share < 0.9, `${halves.peak} of ${floats.peak} bytes`);
});

test("recorded steps that keep halves give the bits of unrecorded ones, in less memory", async () => {
  const recorded = (backend: Backend) => rounds(backend, { recorded: true });
  const plain = await withStorage("f16", rounds), halves = await withStorage("f16", recorded);
  const floats = await withStorage("f32", recorded);
  assertEquals(halves.losses, plain.losses);
  assertEquals(halves.widened, 0, "every kernel of a step reads halves");
  const share = halves.peak / floats.peak;
  assert(share < 0.9, `${halves.peak} of ${floats.peak} bytes`);
});

test("an adapter without half floats is refused in one line", async () => {
  const { message } = await withoutFeatures(() =>
    assertRejects(() => startBackend("webgpu", { storage: "f16" }), BackendError)
  );
  assertEquals(message, "Cannot store f16: old card has no half floats; leave out --storage");
});
