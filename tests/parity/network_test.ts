/**
 * Evaluation networks for CIFAR against PyTorch, on every device: logits of every stored genotype, and for
 * PDARTS a training pass with and without drop path, and what three SGD steps make of weights and
 * statistics.
 *
 * What the fixtures hold is told in bench/peers/pytorch/README.md.
 */

import * as tf from "@tensorflow/tfjs-core";
import { GENOTYPES, PDARTS } from "../../nn/genotypes.ts";
import { type StateDict, withoutPrefix } from "../../nn/state_dict.ts";
import { onEachDevice } from "../backends/devices.ts";
import { tinySettings } from "../evaluate/tiny_network.ts";
import { permitted } from "../permitted.ts";
import { FIXTURES_READ, floats, readFixture } from "./fixtures.ts";
import { checkNetwork, checkPass, checkSteps, type TrainingCase } from "./network_checks.ts";
import { CIFAR_SHAPE, readNetworkState } from "./network_fixtures.ts";

/** Images of a training batch, and the share that drop path drops of them. */
const BATCH = 5, DROP_RATE = 0.25;

async function checkGenotype(name: string): Promise<void> {
  const state = await readNetworkState(`evaluation/${name}`);
  const expected = await readFixture(`evaluation/${name}_expected`);
  const images = floats(expected, "images"), logits = floats(expected, "logits").data;
  const x = tf.tensor4d(images.data, [images.shape[0], 32, 32, 3]);
  await checkNetwork({ options: { ...CIFAR_SHAPE, genotype: GENOTYPES[name] }, state }, [
    { x, logits },
  ]);
  x.dispose();
}

async function readTraining(): Promise<TrainingCase> {
  const state = await readNetworkState("evaluation/training");
  const expected = await readFixture("evaluation/training_expected");
  const { data } = floats(expected, "images"), values = data.length / 3;
  const labels = expected.get("labels")!.data as BigInt64Array;
  const batches = [0, 1, 2].map((index) => ({
    images: data.slice(index * values, (index + 1) * values),
    labels: Int32Array.from(labels.slice(index * BATCH, (index + 1) * BATCH), Number),
    size: BATCH,
  }));
  const options = { ...CIFAR_SHAPE, genotype: PDARTS };
  return { options, state, expected, batches, labelSmoothing: 0 };
}

/** The fixture's drop-path factors, cell by cell and operation by operation. */
function factorsOf(expected: StateDict, rows: number): tf.Tensor2D {
  const prefix = "drop_path.keep.";
  const masks = withoutPrefix(expected, prefix);
  const order = [...masks.keys()].map((name) => name.split(".").map(Number))
    .sort(([cell, op], [other, last]) => cell - other || op - last);
  const values = order.flatMap((place) => [...floats(masks, place.join(".")).data]);
  return tf.tidy(() => tf.div(tf.tensor2d(values, [rows, BATCH]), 1 - DROP_RATE));
}

if (permitted(FIXTURES_READ)) {
  onEachDevice((test, device) => {
    if (!device.fast) return;
    for (const name of Object.keys(GENOTYPES)) {
      test(`EvaluationNetwork gives PyTorch's logits of ${name}`, () => checkGenotype(name));
    }
    test("EvaluationNetwork gives PyTorch's training pass without drop path", async () => {
      await checkPass(await readTraining());
    });
    test("EvaluationNetwork gives PyTorch's training pass with drop path", async () => {
      const training = await readTraining();
      const factors = (rows: number) => factorsOf(training.expected, rows);
      await checkPass(training, { prefix: "drop_path.", factors });
    });
    test("NetworkTrainer gives PyTorch's weights after three steps", async () => {
      const settings = tinySettings({ ...CIFAR_SHAPE, genotype: PDARTS, dropPath: 0 });
      await checkSteps(await readTraining(), settings);
    });
  });
}
