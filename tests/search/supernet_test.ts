/** Tests of the supernet: its state dict, sizes, modes and errors. Its numbers: tests/parity. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { CounterRandom } from "../../backends/random.ts";
import { BatchNormUpdates } from "../../nn/batch_norm.ts";
import { EDGES, PRIMITIVES } from "../../nn/primitives.ts";
import { isReduction } from "../../nn/cell_chain.ts";
import { NETWORK_KINDS } from "../../nn/stem.ts";
import { allPrimitives } from "../../search/edge_weights.ts";
import { Supernet, type SupernetOptions, type SupernetPass } from "../../search/supernet.ts";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "../assert.ts";
import { keptThree } from "./tiny_network.ts";

await tf.setBackend("cpu");

/** What does not shape the network. */
const NUMBERS = { alphas: { initialDeviation: 1e-3 }, batchNorm: { epsilon: 1e-5 } };

function tinyNet(seed = 1, changes: Partial<SupernetOptions> = {}): Supernet {
  const options = {
    layers: 3,
    channels: 2,
    classes: 5,
    normal: keptThree(0),
    reduce: keptThree(1),
  };
  return new Supernet({ ...options, ...NUMBERS, ...changes }, new CounterRandom(seed));
}

const images = (side = 8) => tf.randomNormal<tf.Rank.R4>([2, side, side, 3], 0, 1, "float32", 7);

/** Logits of one pass, with its moments forgotten. */
function logits(net: Supernet, pass: SupernetPass = {}, x = images()): number[] {
  const out = tf.tidy(() => Array.from(net.forward(x, pass).dataSync<"float32">()));
  pass.updates?.dispose();
  x.dispose();
  return out;
}

Deno.test("Supernet has 1,275,834 parameters at 5 cells of 16 channels with all primitives", () => {
  const all = allPrimitives();
  const net = new Supernet(
    { layers: 5, channels: 16, classes: 10, normal: all, reduce: all, ...NUMBERS },
    new CounterRandom(1),
  );
  assertEquals(net.parameterCount, 1_275_834);
  assertEquals(net.alphas.normal.shape, [EDGES.length, PRIMITIVES.length]);
  net.parameters.dispose();
});

Deno.test("Supernet names its parameters as the authors' modules", async () => {
  const all = allPrimitives();
  const net = new Supernet(
    { layers: 3, channels: 2, classes: 10, normal: all, reduce: all, ...NUMBERS },
    new CounterRandom(1),
  );
  const dict = await net.parameters.stateDict();
  const shapes: [string, number[]][] = [
    ["stem.0.weight", [6, 3, 3, 3]],
    ["stem.1.running_mean", [6]],
    ["cells.0.preprocess0.op.1.weight", [2, 6, 1, 1]],
    ["cells.0.cell_ops.5.m_ops.1.1.running_var", [2]],
    ["cells.0.cell_ops.5.m_ops.4.op.1.weight", [2, 1, 3, 3]],
    ["cells.0.cell_ops.5.m_ops.5.op.6.weight", [2, 2, 1, 1]],
    ["cells.0.cell_ops.5.m_ops.7.op.1.weight", [2, 1, 5, 5]],
    ["cells.0.cell_ops.5.m_ops.7.op.3.num_batches_tracked", []],
    ["cells.1.cell_ops.0.m_ops.3.conv_2.weight", [2, 4, 1, 1]],
    ["cells.2.preprocess0.conv_1.weight", [4, 8, 1, 1]],
    ["cells.2.preprocess0.bn.running_mean", [8]],
    ["cells.2.preprocess1.op.1.weight", [8, 16, 1, 1]],
    ["classifier.weight", [10, 32]],
    ["alphas_reduce", [14, 8]],
  ];
  for (const [name, shape] of shapes) assertEquals(dict.get(name)?.shape, shape, name);
  assertEquals(dict.has("cells.0.cell_ops.5.m_ops.3.conv_1.weight"), false);
  assertEquals([...dict.keys()].filter((name) => /op\.[37]\.weight/.test(name)), []);
  net.parameters.dispose();
});

Deno.test("Supernet draws its alphas with the deviation asked for", () => {
  const [usual, wide] = [1e-3, 0.5].map((initialDeviation) => {
    const net = tinyNet(1, { alphas: { initialDeviation } });
    return [...net.alphas.normal.dataSync(), ...net.alphas.reduce.dataSync()];
  });
  const square = usual.reduce((sum, value) => sum + value ** 2, 0) / usual.length;
  assertAlmostEquals(Math.sqrt(square), 1e-3, 2e-4);
  wide.forEach((value, index) => assertAlmostEquals(value, 500 * usual[index], 1e-5));
});

Deno.test("forward() normalises with the epsilon asked for, in both modes", () => {
  const net = tinyNet(), other = tinyNet(1, { batchNorm: { epsilon: 1 } });
  for (const training of [false, true]) {
    const pass = () => training ? { updates: new BatchNormUpdates() } : {};
    assertNotEquals(logits(other, pass()), logits(net, pass()));
  }
  for (const { parameters } of [net, other]) parameters.dispose();
});

Deno.test("isReduction() is true at a third and two thirds", () => {
  const at = (layers: number) =>
    Array.from({ length: layers }, (_, index) => index).filter((index) =>
      isReduction(index, layers)
    );
  assertEquals([at(3), at(5), at(11), at(17), at(20)], [[1, 2], [1, 3], [3, 7], [5, 11], [6, 13]]);
});

Deno.test("forward() leaves only the logits, in both modes", () => {
  const net = tinyNet(), x = images();
  const before = tf.memory().numTensors;
  net.forward(x).dispose();
  assertEquals(tf.memory().numTensors, before);
  const updates = new BatchNormUpdates();
  net.forward(x, { updates }).dispose();
  updates.dispose();
  assertEquals(tf.memory().numTensors, before);
  x.dispose();
  net.parameters.dispose();
});

for (const network of NETWORK_KINDS) {
  Deno.test(`forward() takes images of any size with the stem of ${network}`, () => {
    const net = tinyNet(1, { network });
    for (const side of [1, 7, 12, 33]) {
      const updates = new BatchNormUpdates();
      assert(logits(net, { updates }, images(side)).every(Number.isFinite));
    }
    net.parameters.dispose();
  });
}

Deno.test("Supernet has ImageNet's stem, and its first cell reduces, when it is for ImageNet", async () => {
  const net = tinyNet(1, { network: "imagenet" }), dict = await net.parameters.stateDict();
  const shapes: [string, number[]][] = [
    ["stem0.0.weight", [1, 3, 3, 3]],
    ["stem0.1.bias", [1]],
    ["stem0.3.weight", [2, 1, 3, 3]],
    ["stem0.4.weight", [2]],
    ["stem1.1.weight", [2, 2, 3, 3]],
    ["stem1.2.running_mean", [2]],
    ["cells.0.preprocess0.conv_1.weight", [1, 2, 1, 1]],
    ["cells.0.preprocess1.op.1.weight", [2, 2, 1, 1]],
    ["cells.1.preprocess0.op.1.weight", [4, 2, 1, 1]],
  ];
  for (const [name, shape] of shapes) assertEquals(dict.get(name)?.shape, shape, name);
  assert(!dict.has("cells.0.preprocess0.bn.weight") && !dict.has("stem.0.weight"));
  net.parameters.dispose();
});

Deno.test("forward() drops skips out in training alone, by rate, key and pass", () => {
  const net = tinyNet();
  const pass = (rate: number, which: number) => {
    const dropout = { rate, key: [3, 4] as [number, number], pass: which };
    return logits(net, { updates: new BatchNormUpdates(), dropout });
  };
  const plain = logits(net, { updates: new BatchNormUpdates() });
  assertEquals(pass(0, 0), plain);
  assertNotEquals(pass(0.5, 0), plain);
  assertEquals(pass(0.5, 0), pass(0.5, 0));
  assertNotEquals(pass(0.5, 1), pass(0.5, 0));
  const evaluated = logits(net);
  const dropout = { rate: 0.5, key: [3, 4] as [number, number], pass: 0 };
  assertEquals(logits(net, { dropout }), evaluated);
  net.parameters.dispose();
});

Deno.test("forward() gives zeros for a node whose edges keep none alone", () => {
  const kept = EDGES.map(({ node }) => [node === 1 ? "none" : "skip_connect" as const]);
  const options = { layers: 3, channels: 2, classes: 5 };
  const net = new Supernet(
    { ...options, ...NUMBERS, normal: kept as ["none"][], reduce: kept as ["none"][] },
    new CounterRandom(2),
  );
  const values = logits(net);
  assert(values.every(Number.isFinite) && values.length === 10);
  net.parameters.dispose();
});

Deno.test("forward() refuses images of another kind", () => {
  const net = tinyNet();
  const refuse = (x: tf.Tensor, error: typeof TypeError | typeof RangeError, message: string) =>
    assertThrows(() => net.forward(x as tf.Tensor4D), error, message);
  refuse(tf.zeros([8, 8, 3]), TypeError, "want float32 [N, H, W, 3], got float32 [8,8,3]");
  refuse(tf.zeros([1, 8, 8, 3], "int32"), TypeError, "got int32");
  refuse(tf.zeros([1, 8, 0, 3]), RangeError, "want [N, H, W, 3], got [1,8,0,3]");
  refuse(tf.zeros([1, 8, 8, 1]), RangeError, "got [1,8,8,1]");
  net.parameters.dispose();
});

Deno.test("Supernet refuses sizes and primitives that make no network", () => {
  const good = { layers: 3, channels: 2, classes: 5, normal: keptThree(0), reduce: keptThree(0) };
  const refuse = (changes: Partial<SupernetOptions>, message: string) =>
    assertThrows(
      () => new Supernet({ ...NUMBERS, ...good, ...changes }, new CounterRandom(1)),
      RangeError,
      message,
    );
  refuse({ layers: 0 }, "want layers of 1 or more, got 0");
  refuse({ channels: 1.5 }, "want channels of 1 or more, got 1.5");
  refuse({ channels: 3, network: "imagenet" }, "want even channels, got 3");
  refuse({ normal: keptThree(0).slice(1) }, "on 14 edges of the normal cell");
  refuse({ reduce: [["none"], ...keptThree(0).slice(1)] }, "equally many primitives");
});
