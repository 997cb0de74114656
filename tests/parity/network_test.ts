/**
 * Evaluation networks against PyTorch, on every device: logits of every stored genotype, with and without
 * folded norms; for PDARTS a forward and backward pass in training, with and without drop path, and what
 * three steps of training make of weights and running statistics.
 *
 * Source: bench/peers/pytorch/README.md tells what the fixtures hold.
 */

import * as tf from "@tensorflow/tfjs-core";
import { softmaxCrossEntropy } from "../../backends/ops/softmax_cross_entropy.ts";
import { CounterRandom } from "../../backends/random.ts";
import { foldNetwork } from "../../evaluate/folded_network.ts";
import { EvaluationNetwork } from "../../evaluate/network.ts";
import { NetworkTrainer, type TrainingSettings } from "../../evaluate/network_trainer.ts";
import { type Batch, batchTensors } from "../../nn/batch.ts";
import { BATCH_NORM, BatchNormUpdates } from "../../nn/batch_norm.ts";
import { GENOTYPES, PDARTS, storedGenotype } from "../../nn/genotypes.ts";
import { lossGradients } from "../../nn/gradients.ts";
import { type StateDict, withoutPrefix } from "../../nn/state_dict.ts";
import { assertEquals } from "../assert.ts";
import { onEachDevice } from "../backends/devices.ts";
import { permitted } from "../permitted.ts";
import {
  assertChange,
  assertParity,
  FIXTURES_READ,
  floats,
  isRunning,
  isWeight,
  unflatten,
} from "./fixtures.ts";
import { HEAD, NETWORK_SHAPE, readNetworkFixture } from "./network_fixtures.ts";

/** The genotype that the plain composition runs, for its time. */
const SMALLEST = "DARTS_V1";
const AUXILIARY_WEIGHT = 0.4, DROP_RATE = 0.25;
const BATCH = 5, STEPS = 3, IMAGE_VALUES = 32 * 32 * 3;

/** As in the authors' command, for the fixtures' few epochs and without drop path. */
const SETTINGS: TrainingSettings = {
  ...NETWORK_SHAPE,
  seed: 1,
  genotype: PDARTS,
  epochs: 4,
  auxiliary: { enabled: true, weight: AUXILIARY_WEIGHT },
  dropPath: 0,
  optimizer: {
    learningRate: 0.025,
    minimumLearningRate: 0,
    momentum: 0.9,
    weightDecay: 3e-4,
    clip: 5,
  },
  batchNorm: BATCH_NORM,
  labelSmoothing: 0,
};

type Fixture = Awaited<ReturnType<typeof readNetworkFixture>>;

function loadedNetwork(genotype: string, state: StateDict): EvaluationNetwork {
  const options = { ...SETTINGS, genotype: storedGenotype(genotype), auxiliary: true };
  const network = new EvaluationNetwork(options, new CounterRandom(1));
  network.parameters.loadStateDict(state);
  return network;
}

/** Batch 0, 1 or 2 of the training's. */
function batchOf({ expected }: Fixture, index: number): Batch {
  const labels = expected.get("labels")!.data as BigInt64Array, values = BATCH * IMAGE_VALUES;
  return {
    images: floats(expected, "images").data.slice(index * values, (index + 1) * values),
    labels: Int32Array.from(labels.slice(index * BATCH, (index + 1) * BATCH), Number),
    size: BATCH,
  };
}

/** The float32 tensors of a state dict whose name is accepted. */
function pick(dict: StateDict, included: (name: string) => boolean): Map<string, Float32Array> {
  const names = [...dict.keys()].filter((name) => !name.endsWith("num_batches_tracked"));
  return new Map(names.filter(included).map((name) => [name, floats(dict, name).data]));
}

const norm = (values: Float32Array) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** Checks one expected tensor by itself. */
function checkOne({ expected }: Fixture, name: string, actual: ArrayLike<number>): void {
  const wanted = new Map([[name, floats(expected, name).data]]);
  assertParity(new Map([[name, Float32Array.from(actual)]]), wanted, name);
}

/** Logits in evaluation mode, of running statistics and of folded norms. */
async function checkLogits(genotype: string): Promise<void> {
  const fixture = await readNetworkFixture(genotype);
  const { shape, data } = floats(fixture.expected, "images");
  const images = tf.tensor4d(data, shape as [number, number, number, number]);
  const network = loadedNetwork(genotype, fixture.state);
  using folded = foldNetwork(network);
  for (const logits of [network.forward(images).logits, folded.forward(images)]) {
    checkOne(fixture, "logits", await logits.data());
    logits.dispose();
  }
  images.dispose();
  network.parameters.dispose();
}

/** `[drops, N]` factors of the stored masks, in the order of cells and their operations. */
function storedDropPath(expected: StateDict): tf.Tensor2D {
  const masks = [...expected].filter(([name]) => name.startsWith("drop_path.keep."))
    .map(([, { data }]) => Array.from(data as Float32Array, (keep) => keep / (1 - DROP_RATE)));
  return tf.tensor2d(masks);
}

/** One training pass over batch 0: what names with `prefix` expect. */
async function checkPass(fixture: Fixture, prefix: "" | "drop_path."): Promise<void> {
  const { state, expected } = fixture;
  const network = loadedNetwork("PDARTS", state);
  const { images, labels } = batchTensors(batchOf(fixture, 0));
  const dropPath = prefix ? storedDropPath(expected) : undefined;
  const updates = new BatchNormUpdates();
  const variables = [...network.parameters.trainable().values()];
  const outputs: tf.Tensor[] = [];
  const { loss, gradients } = lossGradients(variables, () => {
    const output = network.forward(images, { updates, gradients: "weights", dropPath });
    const { logits, auxiliary } = output;
    outputs.push(tf.keep(logits), tf.keep(auxiliary!));
    const head = softmaxCrossEntropy(auxiliary!, labels).loss;
    return tf.add(softmaxCrossEntropy(logits, labels).loss, tf.mul(head, AUXILIARY_WEIGHT));
  });
  updates.apply();
  checkOne(fixture, `${prefix}logits`, await outputs[0].data());
  checkOne(fixture, `${prefix}auxiliary`, await outputs[1].data());
  checkOne(fixture, `${prefix}loss`, await loss.data());
  const running = unflatten(floats(expected, `${prefix}running`).data, state, isRunning);
  assertParity(
    pick(await network.parameters.stateDict(), isRunning),
    running,
    "running statistics",
  );
  // Gradients take the variables' places, so that they are read by PyTorch's names and in its layouts.
  variables.forEach((variable, index) => variable.assign(gradients[index]));
  const read = pick(await network.parameters.stateDict(), isWeight);
  const wanted = pick(withoutPrefix(expected, `${prefix}gradient.`), isWeight);
  assertParity(read, wanted, "gradient");
  const norms = [...state.keys()].filter((name) => read.has(name))
    .map((name) => norm(read.get(name)!));
  checkOne(fixture, `${prefix}gradient_norms`, norms);
  tf.dispose([images, labels, loss, gradients, outputs, ...dropPath ? [dropPath] : []]);
  network.parameters.dispose();
}

/** Three steps, each in an epoch of its own. */
async function checkSteps(fixture: Fixture): Promise<void> {
  const { state, expected } = fixture;
  const trainer = new NetworkTrainer(SETTINGS);
  trainer.network.parameters.loadStateDict(state);
  for (let step = 0; step < STEPS; step++) {
    trainer.beginEpoch(step);
    trainer.trainStep(batchOf(fixture, step));
  }
  const trained = await trainer.network.parameters.stateDict();
  const included = (name: string) => isWeight(name) && name !== HEAD;
  const got = pick(trained, included);
  const wanted = unflatten(floats(expected, "steps.weights").data, state, included);
  assertParity(got, wanted, "weights");
  assertChange(got, wanted, { initial: pick(state, included), steps: STEPS, label: "weights" });
  checkOne(fixture, "steps.head_norm", [norm(floats(trained, HEAD).data)]);
  const running = unflatten(floats(expected, "steps.running").data, state, isRunning);
  assertParity(pick(trained, isRunning), running, "running statistics");
  const { images, labels } = batchTensors(batchOf(fixture, 0));
  const { logits } = trainer.network.forward(images);
  checkOne(fixture, "steps.logits", await logits.data());
  assertEquals(trained.get("stem.1.num_batches_tracked")!.data[0], 10n);
  tf.dispose([images, labels, logits]);
  trainer.dispose();
}

if (permitted(FIXTURES_READ)) {
  onEachDevice((test, device) => {
    for (const name of device.fast ? Object.keys(GENOTYPES) : [SMALLEST]) {
      test(
        `EvaluationNetwork gives PyTorch's logits of ${name}, its norms folded or not`,
        () => checkLogits(name),
      );
    }
    if (!device.fast) return;
    for (const [what, prefix] of [["without", ""], ["with", "drop_path."]] as const) {
      test(
        `EvaluationNetwork gives PyTorch's loss, running statistics and gradients ${what} drop path`,
        async () => await checkPass(await readNetworkFixture("training"), prefix),
      );
    }
    test(
      "NetworkTrainer gives PyTorch's weights and logits after three steps",
      async () => await checkSteps(await readNetworkFixture("training")),
    );
  });
}
