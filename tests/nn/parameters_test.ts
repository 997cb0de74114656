/** Tests of parameters: names, initial values, and state dicts out and in. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { CounterRandom } from "../../backends/random.ts";
import { Parameters } from "../../nn/parameters.ts";
import type { HostTensor } from "../../nn/safetensors.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "../assert.ts";

await tf.setBackend("cpu");

function network(seed = 1): Parameters {
  const parameters = new Parameters(new CounterRandom(seed));
  parameters.convolution("stem.0.weight", [6, 3, 3, 3]);
  parameters.batchNorm("stem.1", { channels: 6, affine: true });
  parameters.depthwise("op.1.weight", { channels: 6, kernel: 5 });
  const pool = parameters.batchNorm("edges.0.1", { channels: 6, affine: false });
  parameters.batchNorm("edges.1.1", { channels: 6, affine: false, sharedWith: pool });
  parameters.linear("classifier", { inputs: 6, outputs: 4 });
  return parameters;
}

/** Runs with a network and checks that disposing it frees everything. */
async function withNetwork(body: (parameters: Parameters) => unknown, seed?: number) {
  const before = tf.memory().numTensors;
  const parameters = network(seed);
  await body(parameters);
  parameters.dispose();
  assertEquals(tf.memory().numTensors, before, "tensors left behind");
}

Deno.test("stateDict() lists PyTorch's keys, shapes and types in order", () =>
  withNetwork(async (parameters) => {
    parameters.batchesTracked = 3;
    const dict = await parameters.stateDict();
    const norm = (name: string) =>
      ["running_mean", "running_var", "num_batches_tracked"].map((key) => `${name}.${key}`);
    assertEquals([...dict.keys()], [
      "stem.0.weight",
      "stem.1.weight",
      "stem.1.bias",
      ...norm("stem.1"),
      "op.1.weight",
      ...norm("edges.0.1"),
      ...norm("edges.1.1"),
      "classifier.weight",
      "classifier.bias",
    ]);
    assertEquals(dict.get("op.1.weight")!.shape, [6, 1, 5, 5]);
    assertEquals(dict.get("classifier.weight")!.shape, [4, 6]);
    assertEquals(dict.get("edges.1.1.running_var")!.data, new Float32Array(6).fill(1));
    assertEquals(dict.get("stem.1.num_batches_tracked")!, {
      shape: [],
      data: BigInt64Array.of(3n),
    });
    assertEquals(parameters.count(), 6 * 27 + 12 + 6 * 25 + 28);
  }));

Deno.test("Parameters draws uniform numbers within 1 / sqrt(fan_in)", () =>
  withNetwork(async (parameters) => {
    const dict = await parameters.stateDict();
    const check = (name: string, fanIn: number) => {
      const data = dict.get(name)!.data as Float32Array, bound = 1 / Math.sqrt(fanIn);
      const largest = Math.max(...data.map(Math.abs));
      assert(largest <= bound && largest > 0.8 * bound, `${name}: ${largest} of ${bound}`);
      const square = data.reduce((sum, value) => sum + value * value, 0) / data.length;
      if (data.length > 100) assertAlmostEquals(square / (bound * bound / 3), 1, 0.2);
    };
    check("stem.0.weight", 27);
    check("op.1.weight", 25);
    check("classifier.weight", 6);
  }));

Deno.test("Parameters draws the same numbers in another order of creation, others for another seed", async () => {
  const random = new CounterRandom(1), other = new Parameters(random);
  const bias = other.linear("classifier", { inputs: 6, outputs: 4 }).bias;
  random.normal();
  const stem = other.convolution("stem.0.weight", [6, 3, 3, 3]);
  await withNetwork((parameters) => {
    const trainable = parameters.trainable();
    assertEquals(trainable.get("classifier.bias")!.dataSync(), bias.dataSync());
    assertEquals(trainable.get("stem.0.weight")!.dataSync(), stem.dataSync());
  });
  await withNetwork((parameters) => {
    const same = parameters.trainable().get("stem.0.weight")!.dataSync();
    assert(same.every((value, index) => value !== stem.dataSync()[index]));
  }, 2);
  other.dispose();
});

Deno.test("normal() draws scaled standard normals", () => {
  const parameters = new Parameters(new CounterRandom(4));
  const data = parameters.normal("alphas", { shape: [14, 200], scale: 1e-3 })
    .dataSync<"float32">();
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const square = data.reduce((sum, value) => sum + value * value, 0) / data.length;
  assertAlmostEquals(mean, 0, 1e-4);
  assertAlmostEquals(Math.sqrt(square), 1e-3, 5e-5);
  parameters.dispose();
});

Deno.test("loadStateDict() restores what stateDict() gave, in the devices' layout", () =>
  withNetwork((from) =>
    withNetwork(async (to) => {
      from.batchesTracked = 7;
      const dict = await from.stateDict();
      (dict.get("edges.0.1.running_mean")!.data as Float32Array).fill(0.25);
      (dict.get("edges.1.1.running_mean")!.data as Float32Array).fill(0.25);
      to.loadStateDict(dict);
      assertEquals(await to.stateDict(), dict);
      assertEquals(to.batchesTracked, 7);
      for (const [name, variable] of to.trainable()) {
        assertEquals(variable.dataSync(), from.trainable().get(name)!.dataSync(), name);
      }
    }, 9)
  ));

Deno.test("loadStateDict() names the key that does not fit and changes nothing", () =>
  withNetwork(async (parameters) => {
    const good = await parameters.stateDict();
    const refuse = (change: (dict: Map<string, HostTensor>) => void, message: string) => {
      const dict = new Map(good);
      change(dict);
      assertThrows(() => parameters.loadStateDict(dict), Error, message);
    };
    refuse((dict) => dict.delete("op.1.weight"), '"op.1.weight" is missing');
    refuse(
      (dict) => dict.set("head.weight", { shape: [1], data: new Float32Array(1) }),
      '"head.weight" is unexpected',
    );
    refuse(
      (dict) => dict.set("classifier.bias", { shape: [5], data: new Float32Array(5) }),
      'want "classifier.bias" of shape [4], got [5]',
    );
    refuse(
      (dict) => dict.set("classifier.bias", { shape: [4], data: new Int32Array(4) }),
      'want "classifier.bias" as float32, got a Int32Array',
    );
    refuse(
      (dict) => dict.set("edges.1.1.running_var", { shape: [6], data: new Float32Array(6) }),
      '"edges.1.1.running_var" differs from the same pool\'s on another edge',
    );
    refuse(
      (dict) => dict.set("stem.1.num_batches_tracked", { shape: [], data: BigInt64Array.of(5n) }),
      "another count 5",
    );
    assertEquals(await parameters.stateDict(), good);
  }));

Deno.test("Parameters refuses a second parameter of the same name", () =>
  withNetwork((parameters) => {
    assertThrows(
      () => parameters.normal("op.1.weight", { shape: [2], scale: 1 }),
      RangeError,
      'two are named "op.1.weight"',
    );
  }));
