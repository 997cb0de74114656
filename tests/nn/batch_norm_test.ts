/** Tests of lazy batch norms: both modes, running statistics, and the moments' lifetime. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { CounterRandom } from "../../backends/random.ts";
import {
  BATCH_NORM,
  BatchNormUpdates,
  normedBranches,
  runningAffine,
} from "../../nn/batch_norm.ts";
import { Parameters } from "../../nn/parameters.ts";
import { assertAlmostEquals, assertEquals, assertNotEquals } from "../assert.ts";

await tf.setBackend("cpu");

/** A pool without and a 1x1 convolution with affine parameters, on two channels. */
function setting() {
  const parameters = new Parameters(new CounterRandom(3));
  const filter = parameters.convolution("op.weight", [2, 2, 1, 1]);
  const norm = parameters.batchNorm("bn", { channels: 2, affine: true });
  const pool = parameters.batchNorm("pool", { channels: 2, affine: false });
  norm.gamma!.assign(tf.tensor1d([2, 0.5]));
  norm.beta!.assign(tf.tensor1d([-1, 3]));
  const specs = [
    { branch: { kind: "pointwise", filter } as const, norm },
    { branch: { kind: "max_pool", stride: 1 } as const, norm: pool },
    { branch: { kind: "identity" } as const },
  ];
  const x = tf.randomNormal<tf.Rank.R4>([3, 4, 4, 2], 1, 2, "float32", 5);
  return { parameters, norm, pool, specs, x };
}

function statistics(y: tf.Tensor4D, channel: number) {
  const values = y.dataSync<"float32">().filter((_, index) => index % 2 === channel);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, biased: square / values.length, unbiased: square / (values.length - 1) };
}

/** PyTorch's numbers, and others. */
const NUMBERS = [BATCH_NORM, { epsilon: 0.5, momentum: 1 }];

Deno.test("BATCH_NORM has the numbers of torch.nn.BatchNorm2d", () => {
  assertEquals(BATCH_NORM, { epsilon: 1e-5, momentum: 0.1 });
});

for (const { epsilon, momentum } of NUMBERS) {
  const numbers = `with epsilon ${epsilon} and momentum ${momentum}`;

  Deno.test(`normedBranches() normalises by the batch in training ${numbers}`, () => {
    const { parameters, norm, pool, specs, x } = setting();
    const updates = new BatchNormUpdates({ momentum });
    const outputs = tf.tidy(() => normedBranches(x, specs, { mode: { updates, epsilon } }));
    assertEquals(outputs.map(({ affine }) => affine?.shape), [[2, 2], [2, 2], undefined]);
    updates.apply();
    assertEquals(parameters.batchesTracked, 0, "counting batches is the network's");
    for (const [index, bn] of [norm, pool].entries()) {
      for (const channel of [0, 1]) {
        const { mean, biased, unbiased } = statistics(outputs[index].y, channel);
        const scale = outputs[index].affine!.dataSync()[channel];
        const gamma = index === 0 ? [2, 0.5][channel] : 1;
        assertAlmostEquals(scale, gamma / Math.sqrt(biased + epsilon), 1e-4);
        const running = bn.running.dataSync();
        assertAlmostEquals(running[channel], momentum * mean, 1e-5);
        assertAlmostEquals(running[2 + channel], 1 - momentum + momentum * unbiased, 1e-5);
      }
    }
  });

  Deno.test(`normedBranches() normalises by the running statistics in evaluation ${numbers}`, () => {
    const { norm, specs, x } = setting();
    norm.running.assign(tf.tensor2d([[0.5, -1], [4, 0.25]]));
    const [{ affine }, , identity] = normedBranches(x, specs, { mode: { epsilon } });
    const [scale0, scale1, shift0, shift1] = affine!.dataSync();
    assertAlmostEquals(scale0, 2 / Math.sqrt(4 + epsilon), 1e-5);
    assertAlmostEquals(scale1, 0.5 / Math.sqrt(0.25 + epsilon), 1e-5);
    assertAlmostEquals(shift0, -1 - 0.5 * scale0, 1e-5);
    assertAlmostEquals(shift1, 3 + scale1, 1e-5);
    assertEquals(identity.affine, undefined);
  });
}

Deno.test("runningAffine() is the identity but for epsilon at the initial statistics", () => {
  const { pool } = setting();
  const [scale, , shift] = runningAffine(pool).dataSync();
  assertAlmostEquals(scale, 1 / Math.sqrt(1 + 1e-5), 1e-6);
  assertEquals(Math.abs(shift), 0);
});

Deno.test("prepare() computes what apply() assigns, and changes nothing itself", () => {
  const { norm, specs, x } = setting();
  const before = [...norm.running.dataSync()], after: number[][] = [];
  for (const prepared of [false, true]) {
    norm.running.assign(tf.tensor2d(before, [2, 2]));
    const updates = new BatchNormUpdates();
    tf.tidy(() => void normedBranches(x, specs, { mode: { updates } }));
    if (prepared) updates.prepare();
    assertEquals([...norm.running.dataSync()], before);
    updates.apply();
    after.push([...norm.running.dataSync()]);
  }
  assertEquals(after[1], after[0]);
  assertNotEquals(after[0], before);
});

Deno.test("BatchNormUpdates leaves no tensor behind, applied or not", () => {
  const { specs, x } = setting();
  const before = tf.memory().numTensors;
  for (const end of ["apply", "dispose"] as const) {
    for (const prepared of [false, true]) {
      const updates = new BatchNormUpdates();
      tf.tidy(() => void normedBranches(x, specs, { mode: { updates } }));
      assertEquals(tf.memory().numTensors, before + 2);
      if (prepared) updates.prepare();
      updates[end]();
      assertEquals(tf.memory().numTensors, before);
    }
  }
});
