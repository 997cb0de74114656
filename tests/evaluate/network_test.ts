/** Tests of the evaluation network on plain tfjs: sizes, names, modes and errors. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { CounterRandom } from "../../backends/random.ts";
import { EvaluationNetwork, type NetworkOptions } from "../../evaluate/network.ts";
import { BATCH_NORM, BatchNormUpdates } from "../../nn/batch_norm.ts";
import { countCifarNetwork, countImageNetNetwork } from "../../nn/count.ts";
import { GENOTYPES, PDARTS } from "../../nn/genotypes.ts";
import { NETWORK_KINDS } from "../../nn/stem.ts";
import { assert, assertEquals, assertNotEquals, assertThrows } from "../assert.ts";
import { EVERY_PRIMITIVE } from "./tiny_network.ts";

await tf.setBackend("cpu");

function network(changes: Partial<NetworkOptions> = {}): EvaluationNetwork {
  const options: NetworkOptions = {
    genotype: EVERY_PRIMITIVE,
    layers: 3,
    channels: 2,
    classes: 5,
    auxiliary: true,
    batchNorm: BATCH_NORM,
  };
  return new EvaluationNetwork({ ...options, ...changes }, new CounterRandom(1));
}

const images = (side = 32) => tf.randomNormal<tf.Rank.R4>([2, side, side, 3], 0, 1, "float32", 7);

const COUNTS = { cifar: countCifarNetwork, imagenet: countImageNetNetwork };

for (const kind of NETWORK_KINDS) {
  for (const [name, genotype] of Object.entries(GENOTYPES)) {
    Deno.test(`EvaluationNetwork of ${name} for ${kind} has as many parameters as are counted`, () => {
      for (const auxiliary of [false, true]) {
        const sizes = { layers: 5, channels: 4, classes: 10 };
        const net = network({ genotype, auxiliary, network: kind, ...sizes });
        const counted = COUNTS[kind](genotype, { auxiliary, ...sizes });
        assertEquals(net.parameterCount, counted.parameters);
        net.parameters.dispose();
      }
    });
  }

  Deno.test(`EvaluationNetwork for ${kind} takes images of any size`, () => {
    const net = network({ network: kind, auxiliary: false });
    for (const side of [1, 7, 22, 33]) {
      const updates = new BatchNormUpdates();
      const x = images(side), { logits } = net.forward(x, { updates });
      assert(logits.dataSync().every(Number.isFinite) && logits.size === 10, `${side} pixels`);
      updates.dispose();
      tf.dispose([x, logits]);
    }
    net.parameters.dispose();
  });
}

Deno.test("EvaluationNetwork of PDARTS has 4,944,352 parameters at ImageNet's 14 cells of 48 channels", () => {
  const sizes = { layers: 14, channels: 48, classes: 1000 };
  const net = network({ genotype: PDARTS, auxiliary: false, network: "imagenet", ...sizes });
  assertEquals(net.parameterCount, 4_944_352);
  net.parameters.dispose();
});

Deno.test("EvaluationNetwork for ImageNet names its parameters as the authors' modules", async () => {
  const net = network({ network: "imagenet" }), dict = await net.parameters.stateDict();
  const shapes: [string, number[]][] = [
    ["stem0.0.weight", [1, 3, 3, 3]],
    ["stem0.1.running_mean", [1]],
    ["stem0.3.weight", [2, 1, 3, 3]],
    ["stem0.4.bias", [2]],
    ["stem1.1.weight", [2, 2, 3, 3]],
    ["stem1.2.weight", [2]],
    ["cells.0.preprocess0.conv_1.weight", [1, 2, 1, 1]],
    ["cells.0.preprocess0.bn.weight", [2]],
    ["cells.1.preprocess0.op.1.weight", [4, 2, 1, 1]],
    ["auxiliary_head.features.5.weight", [768, 128, 2, 2]],
    ["auxiliary_head.classifier.bias", [5]],
  ];
  for (const [name, shape] of shapes) assertEquals(dict.get(name)?.shape, shape, name);
  assert(!dict.has("auxiliary_head.features.6.weight") && !dict.has("stem.0.weight"));
  net.parameters.dispose();
});

Deno.test("EvaluationNetwork of PDARTS has 3,433,798 parameters at 20 cells of 36 channels", () => {
  const sizes = { layers: 20, channels: 36, classes: 10 };
  const net = network({ genotype: PDARTS, auxiliary: false, ...sizes });
  assertEquals(net.parameterCount, 3_433_798);
  net.parameters.dispose();
});

Deno.test("EvaluationNetwork names its parameters as the authors' modules", async () => {
  const net = network();
  const dict = await net.parameters.stateDict();
  const shapes: [string, number[]][] = [
    ["stem.0.weight", [6, 3, 3, 3]],
    ["stem.1.bias", [6]],
    ["cells.0.preprocess0.op.1.weight", [2, 6, 1, 1]],
    ["cells.0.preprocess1.op.2.weight", [2]],
    ["cells.0._ops.1.op.1.weight", [2, 1, 3, 3]],
    ["cells.0._ops.1.op.7.running_var", [2]],
    ["cells.0._ops.4.op.1.weight", [2, 2, 1, 7]],
    ["cells.0._ops.4.op.2.weight", [2, 2, 7, 1]],
    ["cells.0._ops.4.op.3.bias", [2]],
    ["cells.1._ops.0.conv_2.weight", [2, 4, 1, 1]],
    ["cells.1._ops.0.bn.weight", [4]],
    ["cells.2.preprocess0.conv_1.weight", [4, 4, 1, 1]],
    ["auxiliary_head.features.2.weight", [128, 24, 1, 1]],
    ["auxiliary_head.features.3.num_batches_tracked", []],
    ["auxiliary_head.features.5.weight", [768, 128, 2, 2]],
    ["auxiliary_head.features.6.running_mean", [768]],
    ["auxiliary_head.classifier.weight", [5, 768]],
    ["classifier.bias", [5]],
  ];
  for (const [name, shape] of shapes) assertEquals(dict.get(name)?.shape, shape, name);
  assertEquals(
    [...dict.keys()].filter((name) => /_ops\.(2|3|6|7)\./.test(name) && name.startsWith("cells.0")),
    [],
  );
  net.parameters.dispose();
});

Deno.test("forward() gives auxiliary logits in training alone, and leaves nothing else", () => {
  const net = network(), x = images(), before = tf.memory().numTensors;
  const { logits, auxiliary } = net.forward(x);
  assertEquals([logits.shape, auxiliary], [[2, 5], undefined]);
  logits.dispose();
  const updates = new BatchNormUpdates(), trained = net.forward(x, { updates });
  assertEquals([trained.logits.shape, trained.auxiliary?.shape], [[2, 5], [2, 5]]);
  tf.dispose([trained.logits, trained.auxiliary!]);
  updates.dispose();
  assertEquals(tf.memory().numTensors, before);
  x.dispose();
  net.parameters.dispose();
});

Deno.test("forward() drops the paths of samples whose factors are 0, and of no others", () => {
  const net = network({ auxiliary: false }), x = images(8);
  const logits = (values?: (row: number, sample: number) => number) =>
    tf.tidy(() => {
      const factors = values && tf.tensor2d(
        Array.from({ length: net.drops }, (_, row) => [values(row, 0), values(row, 1)]),
      );
      const updates = new BatchNormUpdates();
      const output = net.forward(x, { updates, dropPath: factors });
      updates.dispose();
      return Array.from(output.logits.dataSync<"float32">());
    });
  const plain = logits();
  assertEquals(logits(() => 1), plain);
  for (const row of [0, net.drops - 1]) {
    assertNotEquals(
      logits((of, sample) => Number(of !== row || sample !== 1)),
      plain,
      `row ${row}`,
    );
  }
  // A row of the last cell has no batch norm behind it, so that the other sample stays as it was.
  const dropped = logits((row, sample) => Number(row !== net.drops - 1 || sample !== 1));
  assertEquals(dropped.slice(0, 5), plain.slice(0, 5));
  const bad = tf.ones<tf.Rank.R2>([net.drops, 3]), updates = new BatchNormUpdates();
  assertThrows(
    () => net.forward(x, { updates, dropPath: bad }),
    RangeError,
    `want factors [${net.drops},2], got [${net.drops},3]`,
  );
  tf.dispose([x, bad]);
  net.parameters.dispose();
});

Deno.test("EvaluationNetwork refuses what makes no network, and images that do not fit", () => {
  assertThrows(() => network({ channels: 3 }), RangeError, "want even channels, got 3");
  assertThrows(() => network({ layers: 0 }), RangeError, "want layers of 1 or more, got 0");
  const unread = { ...EVERY_PRIMITIVE, normalConcat: [4] };
  assertThrows(() => network({ genotype: unread }), RangeError, "nothing reads state 5");
  const net = network(), x = images(8), none = images(0), updates = new BatchNormUpdates();
  assertThrows(() => net.forward(none), RangeError, "got [2,0,0,3]");
  assertThrows(() => net.forward(x, { updates }), RangeError, "got 2x2; it needs larger images");
  updates.dispose();
  tf.dispose([x, none]);
  net.parameters.dispose();
});
