/**
 * Evaluation networks against PyTorch, on every device: logits of every stored genotype, and for PDARTS
 * a training pass with and without drop path, and what three SGD steps make of weights and statistics.
 *
 * What the fixtures hold is told in bench/peers/pytorch/README.md.
 */

import * as tf from "@tensorflow/tfjs-core";
import { softmaxCrossEntropy } from "../../backends/ops/softmax_cross_entropy.ts";
import { CounterRandom } from "../../backends/random.ts";
import { foldNetwork } from "../../evaluate/folded_network.ts";
import { EvaluationNetwork } from "../../evaluate/network.ts";
import { type Batch, NetworkTrainer } from "../../evaluate/network_trainer.ts";
import { BATCH_NORM, BatchNormUpdates } from "../../nn/batch_norm.ts";
import { type Genotype, GENOTYPES, PDARTS } from "../../nn/genotypes.ts";
import { lossGradients } from "../../nn/gradients.ts";
import { type StateDict, withoutPrefix } from "../../nn/state_dict.ts";
import { assert } from "../assert.ts";
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
import { NETWORK_SHAPE, readNetworkFixture } from "./network_fixtures.ts";
import { tinySettings } from "../evaluate/tiny_network.ts";

/** Largest difference of logits in evaluation. */
const LOGITS = 1e-4;
const HEAD = "auxiliary_head.features.5.weight";
const isTrained = (name: string) => isWeight(name) && name !== HEAD;
/** Images of a training batch, and the share that drop path drops of them. */
const BATCH = 5, DROP_RATE = 0.25;

/** The float32 tensors of a state dict whose name is accepted. */
function pick(dict: StateDict, included: (name: string) => boolean): Map<string, Float32Array> {
  const names = [...dict.keys()].filter((name) => !name.endsWith("num_batches_tracked"));
  return new Map(names.filter(included).map((name) => [name, floats(dict, name).data]));
}

function loadedNet(
  genotype: Genotype,
  state: StateDict,
  { auxiliary }: { auxiliary: boolean },
): EvaluationNetwork {
  const options = { ...NETWORK_SHAPE, genotype, auxiliary, batchNorm: BATCH_NORM };
  const net = new EvaluationNetwork(options, new CounterRandom(1));
  const own = [...state].filter(([name]) => auxiliary || !name.startsWith("auxiliary_head."));
  net.parameters.loadStateDict(new Map(own));
  return net;
}

async function checkLogits(actual: tf.Tensor, expected: Float32Array, label: string) {
  const values = await actual.data();
  const error = Math.max(...expected.map((value, index) => Math.abs(values[index] - value)));
  assert(error <= LOGITS, `${label}: off by ${error.toExponential(1)}`);
  actual.dispose();
}

/** Logits in evaluation mode, of the network with and without its auxiliary head, and folded. */
async function checkGenotype(name: string): Promise<void> {
  const { state, expected } = await readNetworkFixture(name);
  const images = floats(expected, "images"), wanted = floats(expected, "logits").data;
  const x = tf.tensor4d(images.data, [images.shape[0], 32, 32, 3]);
  for (const auxiliary of [true, false]) {
    const net = loadedNet(GENOTYPES[name], state, { auxiliary });
    await checkLogits(net.forward(x).logits, wanted, `${name}, auxiliary ${auxiliary}`);
    using folded = foldNetwork(net);
    await checkLogits(folded.forward(x), wanted, `${name}, folded`);
    net.parameters.dispose();
  }
  x.dispose();
}

/** Batch 0, 1 or 2. */
function batchOf(expected: StateDict, index: number): Batch {
  const { data } = floats(expected, "images"), values = data.length / 3;
  const labels = expected.get("labels")!.data as BigInt64Array;
  return {
    images: data.slice(index * values, (index + 1) * values),
    labels: Int32Array.from(labels.slice(index * BATCH, (index + 1) * BATCH), Number),
    size: BATCH,
  };
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

/** One training pass over batch 0, differentiated. */
async function checkPass({ dropPath }: { dropPath: boolean }): Promise<void> {
  const { state, expected } = await readNetworkFixture("training");
  const prefix = dropPath ? "drop_path." : "", { images, labels } = batchOf(expected, 0);
  const net = loadedNet(PDARTS, state, { auxiliary: true });
  const x = tf.tensor4d(images, [BATCH, 32, 32, 3]), y = tf.tensor1d(labels, "int32");
  const factors = dropPath ? factorsOf(expected, net.drops) : undefined;
  const updates = new BatchNormUpdates(), trainable = net.parameters.trainable();
  const variables = [...trainable.values()], outputs: tf.Tensor[] = [];
  const { loss, gradients } = lossGradients(variables, () => {
    const { logits, auxiliary } = net.forward(x, {
      updates,
      gradients: "weights",
      dropPath: factors,
    });
    outputs.push(tf.keep(logits), tf.keep(auxiliary!));
    const losses = [logits, auxiliary!].map((of) => softmaxCrossEntropy(of, y).loss);
    return tf.add(losses[0], tf.mul(losses[1], 0.4)) as tf.Scalar;
  });
  updates.apply();
  const running = pick(await net.parameters.stateDict(), isRunning);
  // Gradients take the variables' places, so that they are read by PyTorch's names and in its layouts.
  variables.forEach((variable, index) => variable.assign(gradients[index]));
  const read = pick(await net.parameters.stateDict(), isWeight);
  const one = async (name: string, tensor: tf.Tensor) => {
    const got = Float32Array.from(await tensor.data()), want = floats(expected, prefix + name).data;
    assertParity(new Map([[name, got]]), new Map([[name, want]]), prefix + name);
  };
  await one("logits", outputs[0]);
  await one("auxiliary", outputs[1]);
  await one("loss", loss);
  const wanted = unflatten(floats(expected, `${prefix}running`).data, state, isRunning);
  assertParity(running, wanted, `${prefix}running`);
  const whole = pick(withoutPrefix(expected, `${prefix}gradient.`), () => true);
  assertParity(read, whole, `${prefix}gradient`);
  const norms = Float32Array.from(
    trainable.keys(),
    (name) => Math.hypot(...chunked(read.get(name)!)),
  );
  const wantedNorms = floats(expected, `${prefix}gradient_norms`).data;
  assertParity(new Map([["norms", norms]]), new Map([["norms", wantedNorms]]), "gradient");
  tf.dispose([x, y, loss, gradients, outputs, factors ?? []]);
  net.parameters.dispose();
}

/** Norms of pieces, for a call takes not any number of arguments. */
function chunked(values: Float32Array): number[] {
  const count = Math.ceil(values.length / 1024);
  return Array.from(
    { length: count },
    (_, at) => Math.hypot(...values.subarray(1024 * at, 1024 * (at + 1))),
  );
}

/** Three SGD steps on batches 0, 1 and 2, one an epoch of the cosine. */
async function checkSteps(): Promise<void> {
  const { state, expected } = await readNetworkFixture("training");
  const settings = tinySettings({ ...NETWORK_SHAPE, genotype: PDARTS, dropPath: 0 });
  const trainer = new NetworkTrainer(settings);
  trainer.network.parameters.loadStateDict(state);
  for (const step of [0, 1, 2]) {
    trainer.beginEpoch(step);
    trainer.trainStep(batchOf(expected, step));
  }
  const trained = await trainer.network.parameters.stateDict();
  const got = pick(trained, isTrained), initial = pick(state, isTrained);
  const wanted = unflatten(floats(expected, "steps.weights").data, state, isTrained);
  assertParity(got, wanted, "steps.weights");
  assertChange(got, wanted, { initial, steps: 3, label: "steps.weights" });
  const norm = Float32Array.of(Math.hypot(...chunked(floats(trained, HEAD).data)));
  assertParity(
    new Map([["norm", norm]]),
    new Map([["norm", floats(expected, "steps.head_norm").data]]),
    "steps.head",
  );
  assertParity(
    pick(trained, isRunning),
    unflatten(floats(expected, "steps.running").data, state, isRunning),
    "steps.running",
  );
  const x = tf.tensor4d(batchOf(expected, 0).images, [BATCH, 32, 32, 3]);
  const { logits } = trainer.network.forward(x);
  const values = Float32Array.from(await logits.data());
  const wantedLogits = floats(expected, "steps.logits").data;
  assertParity(new Map([["logits", values]]), new Map([["logits", wantedLogits]]), "steps");
  tf.dispose([x, logits]);
  trainer.dispose();
}

if (permitted(FIXTURES_READ)) {
  onEachDevice((test, device) => {
    if (!device.fast) return;
    for (const name of Object.keys(GENOTYPES)) {
      test(`EvaluationNetwork gives PyTorch's logits of ${name}`, () => checkGenotype(name));
    }
    for (const dropPath of [false, true]) {
      test(
        `EvaluationNetwork gives PyTorch's training pass ${
          dropPath ? "with" : "without"
        } drop path`,
        () => checkPass({ dropPath }),
      );
    }
    test("NetworkTrainer gives PyTorch's weights after three steps", checkSteps);
  });
}
