/** Compares evaluation networks with PyTorch's numbers: logits, a training pass, and three SGD steps. */

import * as tf from "@tensorflow/tfjs-core";
import { softmaxCrossEntropy } from "../../backends/ops/softmax_cross_entropy.ts";
import { CounterRandom } from "../../backends/random.ts";
import { foldNetwork } from "../../evaluate/folded_network.ts";
import { EvaluationNetwork, type NetworkOptions } from "../../evaluate/network.ts";
import {
  type Batch,
  NetworkTrainer,
  type TrainingSettings,
} from "../../evaluate/network_trainer.ts";
import { BATCH_NORM, BatchNormUpdates } from "../../nn/batch_norm.ts";
import { lossGradients } from "../../nn/gradients.ts";
import { type StateDict, withoutPrefix } from "../../nn/state_dict.ts";
import { assert } from "../assert.ts";
import { assertChange, assertParity, floats, isRunning, isWeight, unflatten } from "./fixtures.ts";
import { HEAD } from "./network_fixtures.ts";

/** Largest difference of logits in evaluation. */
const LOGITS = 1e-4;
const isTrained = (name: string) => isWeight(name) && name !== HEAD;

/** What shapes a network, and its state dict. */
export interface NetworkCase {
  options: Omit<NetworkOptions, "auxiliary" | "batchNorm">;
  state: StateDict;
}

/** A network in training, and what is expected of it. */
export interface TrainingCase extends NetworkCase {
  batches: readonly Batch[];
  labelSmoothing: number;
  expected: StateDict;
}

/** The float32 tensors of a state dict whose name is accepted. */
function pick(dict: StateDict, included: (name: string) => boolean): Map<string, Float32Array> {
  const names = [...dict.keys()].filter((name) => !name.endsWith("num_batches_tracked"));
  return new Map(names.filter(included).map((name) => [name, floats(dict, name).data]));
}

function loadedNet(
  { options, state }: NetworkCase,
  { auxiliary }: { auxiliary: boolean },
): EvaluationNetwork {
  const net = new EvaluationNetwork(
    { ...options, auxiliary, batchNorm: BATCH_NORM },
    new CounterRandom(1),
  );
  const own = [...state].filter(([name]) => auxiliary || !name.startsWith("auxiliary_head."));
  net.parameters.loadStateDict(new Map(own));
  return net;
}

/** Compares logits, and disposes them. */
export async function checkLogits(
  actual: tf.Tensor,
  expected: Float32Array,
  label: string,
): Promise<void> {
  const values = await actual.data();
  const error = Math.max(...expected.map((value, index) => Math.abs(values[index] - value)));
  assert(error <= LOGITS, `${label}: off by ${error.toExponential(1)}`);
  actual.dispose();
}

/** Logits in evaluation mode, of the network with and without its auxiliary head, and folded. */
export async function checkNetwork(
  network: NetworkCase,
  runs: readonly { x: tf.Tensor4D; logits: Float32Array }[],
): Promise<void> {
  for (const auxiliary of [true, false]) {
    const net = loadedNet(network, { auxiliary });
    using folded = foldNetwork(net);
    for (const { x, logits } of runs) {
      const label = `[${x.shape}], auxiliary ${auxiliary}`;
      await checkLogits(net.forward(x).logits, logits, label);
      await checkLogits(folded.forward(x), logits, `${label}, folded`);
    }
    net.parameters.dispose();
  }
}

/** A batch's images as a tensor. */
function imagesOf({ images, size }: Batch): tf.Tensor4D {
  const side = Math.sqrt(images.length / (3 * size));
  return tf.tensor4d(images, [size, side, side, 3]);
}

/**
 * One training pass over batch 0, differentiated.
 *
 * @param options.prefix Of the names of what is expected of it.
 * @param options.factors Makes the drop-path factors for so many rows; without it nothing is dropped.
 */
export async function checkPass(
  training: TrainingCase,
  { prefix = "", factors }: { prefix?: string; factors?: (rows: number) => tf.Tensor2D } = {},
): Promise<void> {
  const { state, expected, labelSmoothing, batches: [batch] } = training;
  const net = loadedNet(training, { auxiliary: true });
  const x = imagesOf(batch), y = tf.tensor1d(batch.labels, "int32");
  const dropPath = factors?.(net.drops);
  const updates = new BatchNormUpdates(), trainable = net.parameters.trainable();
  const variables = [...trainable.values()], outputs: tf.Tensor[] = [];
  const { loss, gradients } = lossGradients(variables, () => {
    const { logits, auxiliary } = net.forward(x, { updates, gradients: "weights", dropPath });
    outputs.push(tf.keep(logits), tf.keep(auxiliary!));
    const losses = outputs.map((of) =>
      softmaxCrossEntropy(of as tf.Tensor2D, y, { labelSmoothing }).loss
    );
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
  tf.dispose([x, y, loss, gradients, outputs, dropPath ?? []]);
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

/** Three SGD steps on batches 0, 1 and 2, each in an epoch of its own. */
export async function checkSteps(
  { state, expected, batches }: TrainingCase,
  settings: TrainingSettings,
): Promise<void> {
  const trainer = new NetworkTrainer(settings);
  trainer.network.parameters.loadStateDict(state);
  batches.forEach((batch, step) => {
    trainer.beginEpoch(step);
    trainer.trainStep(batch);
  });
  const trained = await trainer.network.parameters.stateDict();
  const got = pick(trained, isTrained), initial = pick(state, isTrained);
  const wanted = unflatten(floats(expected, "steps.weights").data, state, isTrained);
  assertParity(got, wanted, "steps.weights");
  assertChange(got, wanted, { initial, steps: batches.length, label: "steps.weights" });
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
  const x = imagesOf(batches[0]), { logits } = trainer.network.forward(x);
  const values = Float32Array.from(await logits.data());
  const wantedLogits = floats(expected, "steps.logits").data;
  assertParity(new Map([["logits", values]]), new Map([["logits", wantedLogits]]), "steps");
  tf.dispose([x, logits]);
  trainer.dispose();
}
