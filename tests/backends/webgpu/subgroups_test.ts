/** Tests of reductions by subgroups: where they are used, where not, and how near they come. */

import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../../../backends/mod.ts";
import { BackendError } from "../../../backends/contract.ts";
import type { WebGpuBackend } from "../../../backends/webgpu/backend.ts";
import { addParts } from "../../../backends/webgpu/kernels/reduce.ts";
import { StageTrainer } from "../../../search/stage_trainer.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { tinyBatch, tinySettings } from "../../search/tiny_network.ts";
import { adapter } from "../adapter.ts";
import { Samples } from "../samples.ts";
import { withoutFeatures } from "./without_features.ts";

/** What a test gets: the backend's kernels' side, and the names of the programs that it has run. */
interface Started {
  webgpu: WebGpuBackend;
  names: Set<string>;
}

/** Runs `body` on a backend of its own, with subgroups or without. */
async function withBackend(
  subgroups: boolean,
  body: (started: Started) => Promise<void>,
): Promise<void> {
  const { backend } = await startBackend("webgpu", { subgroups });
  try {
    const webgpu = tf.backend() as WebGpuBackend, names = new Set<string>(), { run } = webgpu;
    webgpu.run = (program, call) => {
      names.add(program.name);
      run.call(webgpu, program, call);
    };
    await body({ webgpu, names });
  } finally {
    backend.close();
  }
}

function test(name: string, body: () => Promise<void>): void {
  const ignore = !adapter?.info.subgroupMaxSize;
  Deno.test({
    name: `${name} [webgpu]`,
    ignore,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: body,
  });
}

/** Parts, and sums over them. */
interface Shape {
  length: number;
  parts: number;
}

/** The largest error of sums over parts against float64's, in standard deviations of a sum. */
async function errorOf({ webgpu }: Started, { length, parts }: Shape): Promise<number> {
  const samples = new Samples(`${length} sums of ${parts}`);
  const values = Float32Array.from(samples.uniform([parts, length]).values);
  const expected = new Float64Array(length);
  values.forEach((value, index) => expected[index % length] += value);
  const from = tf.tensor(values, [parts, length]), to = webgpu.allocate([length]);
  addParts(webgpu, { from: webgpu.buffer(from), to: webgpu.buffer(to), length, parts });
  const actual = await webgpu.read(to.dataId) as Float32Array;
  webgpu.disposeData(to.dataId);
  from.dispose();
  const errors = expected.map((value, index) => Math.abs(actual[index] - value));
  return Math.max(...errors) / Math.sqrt(parts / 3);
}

test("addParts() adds by subgroups as near to float64 as one by one", async () => {
  for (const shape of [[1, 256], [37, 7], [144, 100]]) {
    const [length, parts] = shape, errors: number[] = [];
    for (const subgroups of [false, true]) {
      await withBackend(subgroups, async (started) => {
        errors.push(await errorOf(started, { length, parts }));
      });
    }
    const [one, bySubgroups] = errors;
    assert(bySubgroups <= Math.max(one, 2 ** -23), `[${shape}]: ${bySubgroups}, not ${one}`);
  }
});

test("addParts() goes on from the sums so far", async () => {
  for (const subgroups of [false, true]) {
    await withBackend(subgroups, async ({ webgpu }) => {
      const parts = tf.tensor2d([[1, 2], [10, 20], [100, 200]]), to = webgpu.allocate([2]);
      const call = { from: webgpu.buffer(parts), to: webgpu.buffer(to), length: 2, parts: 3 };
      for (const add of [false, true, true]) addParts(webgpu, { ...call, add });
      assertEquals([...await webgpu.read(to.dataId) as Float32Array], [333, 666]);
      webgpu.disposeData(to.dataId);
      parts.dispose();
    });
  }
});

test("a step uses subgroups where it is asked to, and only there", async () => {
  for (const subgroups of [false, true]) {
    await withBackend(subgroups, async ({ names }) => {
      const trainer = new StageTrainer(tinySettings());
      trainer.weightStep(tinyBatch(1));
      assert((await trainer.report()).samples > 0, "a step");
      trainer.dispose();
      const used = [...names].filter((name) => name.endsWith(", by subgroups")).toSorted();
      const all = ["batch norm", "global norm", "sum over parts"];
      assertEquals(used, subgroups ? all.map((name) => `${name}, by subgroups`) : []);
    });
  }
});

test("an adapter without subgroups is refused in one line", async () => {
  const { message } = await withoutFeatures(() =>
    assertRejects(() => startBackend("webgpu", { subgroups: true }), BackendError)
  );
  assertEquals(message, "Cannot use subgroups: old card has none; leave out --subgroups");
});
