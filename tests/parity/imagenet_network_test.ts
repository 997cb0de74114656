/**
 * Evaluation networks for ImageNet against PyTorch, on every device: logits of every stored genotype at even
 * and odd sizes, and for PDARTS a training pass with label smoothing at 224 pixels, what three SGD steps of
 * the linear schedule make of weights and statistics, and the auxiliary head on a larger image.
 *
 * What the fixtures hold is told in bench/peers/pytorch/README.md.
 */

import * as tf from "@tensorflow/tfjs-core";
import { CounterRandom } from "../../backends/random.ts";
import { AuxiliaryHead } from "../../evaluate/auxiliary_head.ts";
import { GENOTYPES, PDARTS } from "../../nn/genotypes.ts";
import { Parameters } from "../../nn/parameters.ts";
import { BatchNormUpdates } from "../../nn/batch_norm.ts";
import { onEachDevice } from "../backends/devices.ts";
import { tinySettings } from "../evaluate/tiny_network.ts";
import { permitted } from "../permitted.ts";
import { FIXTURES_READ, floats, readFixture } from "./fixtures.ts";
import {
  checkLogits,
  checkNetwork,
  checkPass,
  checkSteps,
  type TrainingCase,
} from "./network_checks.ts";
import { IMAGENET_SHAPE, imagesOf, readNetworkState } from "./network_fixtures.ts";

/** Sides of the stored pixels' images: twice and seven times 32. */
const SMALL = 64, LARGE = 224;
/** Height and width of the corner of the small images whose halves are odd. */
const ODD = [57, 37];
/** Images of a training batch. */
const BATCH = 3;

async function checkGenotype(name: string): Promise<void> {
  const state = await readNetworkState(`imagenet/${name}`);
  const expected = await readFixture(`imagenet/${name}_expected`);
  const pixels = expected.get("pixels")!, [count] = pixels.shape;
  const x = tf.tensor4d(imagesOf(pixels, SMALL / 32), [count, SMALL, SMALL, 3]);
  const odd = tf.slice(x, 0, [count, ODD[0], ODD[1], 3]);
  await checkNetwork({ options: { ...IMAGENET_SHAPE, genotype: GENOTYPES[name] }, state }, [
    { x, logits: floats(expected, "logits").data },
    { x: odd, logits: floats(expected, "odd_logits").data },
  ]);
  tf.dispose([x, odd]);
}

async function readTraining(): Promise<TrainingCase> {
  const state = await readNetworkState("imagenet/PDARTS");
  const expected = await readFixture("imagenet/training_expected");
  const images = imagesOf(expected.get("pixels")!, LARGE / 32), values = images.length / 3;
  const labels = expected.get("labels")!.data as BigInt64Array;
  const batches = [0, 1, 2].map((index) => ({
    images: images.slice(index * values, (index + 1) * values),
    labels: Int32Array.from(labels.slice(index * BATCH, (index + 1) * BATCH), Number),
    size: BATCH,
  }));
  const options = { ...IMAGENET_SHAPE, genotype: PDARTS };
  return { options, state, expected, batches, labelSmoothing: 0.1 };
}

/** As ImageNet is trained, but for the epochs. */
const settings = tinySettings({
  ...IMAGENET_SHAPE,
  genotype: PDARTS,
  epochs: 8,
  schedule: "linear",
  labelSmoothing: 0.1,
  dropPath: 0,
  optimizer: {
    learningRate: 0.1,
    minimumLearningRate: 0,
    momentum: 0.9,
    weightDecay: 3e-5,
    clip: 5,
  },
});

/** The head's logits in training of an image that pools to 3x4, whose value i is sin(i). */
async function checkHead(): Promise<void> {
  const state = await readNetworkState("imagenet/PDARTS"), { classes } = IMAGENET_SHAPE;
  const inputs = state.get("auxiliary_head.features.2.weight")!.shape[1];
  const parameters = new Parameters(new CounterRandom(1));
  const head = new AuxiliaryHead(parameters, { inputs, classes, network: "imagenet" });
  const own = [...state].filter(([name]) => name.startsWith("auxiliary_head."));
  parameters.loadStateDict(new Map(own));
  const values = Float32Array.from({ length: 2 * 9 * 11 * inputs }, (_, index) => Math.sin(index));
  const x = tf.tensor4d(values, [2, 9, 11, inputs]), updates = new BatchNormUpdates();
  const expected = await readFixture("imagenet/head_expected");
  const logits = tf.tidy(() => head.forward(x, { updates }));
  await checkLogits(logits, floats(expected, "logits").data, "head");
  updates.dispose();
  x.dispose();
  parameters.dispose();
}

if (permitted(FIXTURES_READ)) {
  onEachDevice((test, device) => {
    if (!device.fast) return;
    for (const name of Object.keys(GENOTYPES)) {
      test(`EvaluationNetwork for ImageNet gives PyTorch's logits of ${name}`, () =>
        checkGenotype(name));
    }
    test("EvaluationNetwork for ImageNet gives PyTorch's training pass", async () => {
      await checkPass(await readTraining());
    });
    test("NetworkTrainer gives PyTorch's weights after three steps on ImageNet", async () => {
      await checkSteps(await readTraining(), settings);
    });
    test("AuxiliaryHead gives PyTorch's logits of a larger image", checkHead);
  });
}
