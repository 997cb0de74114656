/** Tests of the optimisers: against scalar arithmetic, their tensors' lifetime, saving and restoring. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { Adam, Sgd } from "../../nn/optimizers.ts";
import { assertAlmostEquals, assertEquals, assertThrows } from "../assert.ts";

await tf.setBackend("cpu");

const SGD = { momentum: 0.9, weightDecay: 0.01, clip: 5 };
const ADAM = { beta1: 0.5, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.001, clip: 5 };

/** Two variables of value 1 and 2, and a way to step them by gradients given as numbers. */
function setting() {
  const parameters = new Map([["a", tf.variable(tf.tensor1d([1]))], [
    "b",
    tf.variable(tf.tensor1d([2])),
  ]]);
  const values = () => [...parameters.values()].map((variable) => variable.dataSync()[0]);
  const step = (optimizer: Sgd | Adam, gradients: number[], rate: number) => {
    const tensors = gradients.map((gradient) => tf.tensor1d([gradient]));
    optimizer.step(tensors, rate);
    tf.dispose(tensors);
  };
  return { parameters, values, step };
}

Deno.test("Sgd clips by the global norm, decays, and accumulates momentum", () => {
  const { parameters, values, step } = setting();
  const optimizer = new Sgd(parameters, SGD);
  let want = [1, 2], momenta = [0, 0];
  for (const gradients of [[6, 8], [0.3, -0.1]]) {
    step(optimizer, gradients, 0.1);
    const norm = Math.hypot(...gradients), factor = Math.min(1, 5 / (norm + 1e-6));
    momenta = momenta.map((m, i) => 0.9 * m + gradients[i] * factor + 0.01 * want[i]);
    want = want.map((value, i) => value - 0.1 * momenta[i]);
    values().forEach((value, i) => assertAlmostEquals(value, want[i], 1e-6));
  }
});

Deno.test("Adam corrects its moments' bias by the number of steps", () => {
  const { parameters, values, step } = setting();
  const optimizer = new Adam(parameters, ADAM);
  let want = [1, 2], first = [0, 0], second = [0, 0];
  [[0.5, -2], [0.1, 0.2], [-3, 4]].forEach((gradients, index) => {
    step(optimizer, gradients, 0.01);
    const decayed = gradients.map((gradient, i) => gradient + 0.001 * want[i]);
    first = first.map((m, i) => 0.5 * m + 0.5 * decayed[i]);
    second = second.map((v, i) => 0.999 * v + 0.001 * decayed[i] ** 2);
    want = want.map((value, i) => {
      const m = first[i] / (1 - 0.5 ** (index + 1)), v = second[i] / (1 - 0.999 ** (index + 1));
      return value - 0.01 * m / (Math.sqrt(v) + 1e-8);
    });
    values().forEach((value, i) => assertAlmostEquals(value, want[i], 1e-5));
  });
});

Deno.test("step() keeps the number of tensors, also inside tf.tidy, and dispose() frees the slots", () => {
  const { parameters, step } = setting();
  const before = tf.memory().numTensors;
  for (const optimizer of [new Sgd(parameters, SGD), new Adam(parameters, ADAM)]) {
    const baseline = tf.memory().numTensors;
    step(optimizer, [1, 1], 0.1);
    tf.tidy(() => step(optimizer, [1, 1], 0.1));
    step(optimizer, [1, 1], 0.1);
    assertEquals(tf.memory().numTensors, baseline);
    optimizer.dispose();
  }
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("prepare() changes nothing before commit(), and frees a step that is given up", async () => {
  const { parameters, values } = setting();
  const optimizer = new Sgd(parameters, SGD), before = tf.memory().numTensors;
  const gradients = [tf.tensor1d([1]), tf.tensor1d([-1])], state = await optimizer.state();
  {
    using _givenUp = optimizer.prepare(gradients, 0.1);
  }
  assertEquals(tf.memory().numTensors, before + 2);
  assertEquals([values(), await optimizer.state()], [[1, 2], state]);
  {
    using step = optimizer.prepare(gradients, 0.1);
    assertEquals([values(), await optimizer.state()], [[1, 2], state]);
    step.commit();
    optimizer.countStep();
  }
  tf.dispose(gradients);
  assertEquals(tf.memory().numTensors, before);
  assertEquals((await optimizer.state()).get("steps")!.data, BigInt64Array.of(1n));
  values().forEach((value, i) => assertAlmostEquals(value, [0.899, 2.098][i], 1e-6));
});

for (
  const [name, make] of [
    ["Sgd", (map: Map<string, tf.Variable>) => new Sgd(map, SGD)],
    ["Adam", (map: Map<string, tf.Variable>) => new Adam(map, ADAM)],
  ] as const
) {
  Deno.test(`${name}.restore() continues exactly where state() was taken`, async () => {
    const one = setting(), other = setting();
    const first = make(one.parameters), second = make(other.parameters);
    one.step(first, [0.4, -0.7], 0.1);
    second.restore(await first.state());
    for (const [key, variable] of other.parameters) variable.assign(one.parameters.get(key)!);
    one.step(first, [0.2, 0.1], 0.05);
    other.step(second, [0.2, 0.1], 0.05);
    assertEquals(other.values(), one.values());
    assertEquals(await second.state(), await first.state());
  });
}

Deno.test("restore() names a key that does not fit", async () => {
  const { parameters } = setting();
  const optimizer = new Sgd(parameters, SGD);
  const state = await optimizer.state();
  state.delete("momentum.b");
  assertThrows(() => optimizer.restore(state), RangeError, '"momentum.b" is missing');
});
