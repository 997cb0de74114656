/**
 * Supernets of the three stages against PyTorch, on every device: one forward and backward pass, and
 * what three steps of training make of weights, alphas and running statistics.
 *
 * Sources: bench/peers/pytorch/README.md tells the two sequences of steps, A and B.
 */

import * as tf from "@tensorflow/tfjs-core";
import { softmaxCrossEntropy } from "../../backends/ops/softmax_cross_entropy.ts";
import { CounterRandom } from "../../backends/random.ts";
import { BatchNormUpdates } from "../../nn/batch_norm.ts";
import { lossGradients } from "../../nn/gradients.ts";
import { PRIMITIVES } from "../../nn/primitives.ts";
import { type StateDict, withoutPrefix } from "../../nn/state_dict.ts";
import { searchConfig } from "../../search/config.ts";
import { type Batch, stageSettings, StageTrainer } from "../../search/stage_trainer.ts";
import { Supernet } from "../../search/supernet.ts";
import { assertEquals } from "../assert.ts";
import { onEachDevice } from "../backends/devices.ts";
import { permitted } from "../permitted.ts";
import {
  assertChange,
  assertParity,
  CASE_NAMES,
  type CaseName,
  FIXTURES_READ,
  floats,
  isRunning,
  isWeight,
  type ParityCase,
  readCase,
  unflatten,
} from "./fixtures.ts";

/** The case that the plain composition runs, for its time, and only one pass of it. */
const SMALLEST: CaseName = "stage3";

const ALPHAS = ["alphas_normal", "alphas_reduce"];
const isAlpha = (name: string) => ALPHAS.includes(name);

/** The stage settings of a case, otherwise the authors': constants of the optimisers in particular. */
function settingsOf({ config }: ParityCase) {
  const kept = (edges: number[][]) =>
    edges.map((indices) => indices.map((index) => PRIMITIVES[index]));
  const settings = stageSettings(searchConfig("authors"), {
    stage: 0,
    classes: config.classes,
    normal: kept(config.kept_normal),
    reduce: kept(config.kept_reduce),
  });
  return { ...settings, layers: config.layers, channels: config.channels, skipDropout: 0 };
}

/** Batch 0, 1 or 2 of a case. */
function batchOf({ config, expected }: ParityCase, index: number): Batch {
  const { batch, size } = config, values = batch * size * size * 3;
  const labels = expected.get("labels")!.data as BigInt64Array;
  return {
    images: floats(expected, "images").data.slice(index * values, (index + 1) * values),
    labels: Int32Array.from(labels.slice(index * batch, (index + 1) * batch), Number),
    size: batch,
  };
}

function loadedNet(parityCase: ParityCase, state = parityCase.state): Supernet {
  const net = new Supernet(settingsOf(parityCase), new CounterRandom(1));
  net.parameters.loadStateDict(state);
  return net;
}

async function loadedTrainer(parityCase: ParityCase): Promise<StageTrainer> {
  const trainer = new StageTrainer(settingsOf(parityCase));
  const { tensors, counters } = await trainer.state();
  const initial = [...parityCase.state].map(([name, tensor]) =>
    [`network.${name}`, tensor] as const
  );
  trainer.restore({ tensors: new Map([...tensors, ...initial]), counters });
  return trainer;
}

async function networkOf(trainer: StageTrainer): Promise<StateDict> {
  return withoutPrefix((await trainer.state()).tensors, "network.");
}

/** The float32 tensors of a state dict whose name is accepted. */
function pick(dict: StateDict, included: (name: string) => boolean): Map<string, Float32Array> {
  const names = [...dict.keys()].filter((name) => !name.endsWith("num_batches_tracked"));
  return new Map(names.filter(included).map((name) => [name, floats(dict, name).data]));
}

/** Checks one expected tensor by itself. */
function checkOne(parityCase: ParityCase, name: string, actual: ArrayLike<number>): void {
  const expected = floats(parityCase.expected, name).data;
  assertParity(new Map([[name, Float32Array.from(actual)]]), new Map([[name, expected]]), name);
}

/** One training pass over batch 0, differentiated by the weights or by the alphas. */
async function checkPass(parityCase: ParityCase, kind: "weights" | "alphas"): Promise<void> {
  const { config, state, expected } = parityCase;
  const net = loadedNet(parityCase), { images, labels } = batchOf(parityCase, 0);
  const x = tf.tensor4d(images, [config.batch, config.size, config.size, 3]);
  const y = tf.tensor1d(labels, "int32");
  const updates = new BatchNormUpdates(), variables = [...net.trainable(kind).values()];
  let logits: tf.Tensor | undefined;
  const { loss, gradients } = lossGradients(variables, () => {
    logits = tf.keep(net.forward(x, { updates, gradients: kind }));
    return softmaxCrossEntropy(logits as tf.Tensor2D, y).loss;
  });
  updates.apply();
  const running = pick(await net.parameters.stateDict(), isRunning);
  checkOne(parityCase, "logits", await logits!.data());
  checkOne(parityCase, "loss", await loss.data());
  assertParity(
    running,
    unflatten(floats(expected, "running_after_forward").data, state, isRunning),
    "running statistics",
  );
  // Gradients take the variables' places, so that they are read by PyTorch's names and in its layouts.
  variables.forEach((variable, index) => variable.assign(gradients[index]));
  const read = await net.parameters.stateDict();
  if (kind === "weights") {
    const wanted = unflatten(floats(expected, "gradient").data, state, isWeight);
    assertParity(pick(read, isWeight), wanted, "gradient");
  } else {
    for (const name of ALPHAS) {
      checkOne(parityCase, `${name}.gradient`, floats(read, name).data);
    }
  }
  tf.dispose([x, y, loss, gradients, logits!]);
  net.parameters.dispose();
}

/** Logits of batch 0 in evaluation mode, of a network that loads the trained state. */
async function checkEvaluation(
  parityCase: ParityCase,
  { trained, name }: { trained: StateDict; name: string },
): Promise<void> {
  const { batch, size } = parityCase.config;
  const net = loadedNet(parityCase, trained);
  const images = tf.tensor4d(batchOf(parityCase, 0).images, [batch, size, size, 3]);
  const logits = net.forward(images);
  checkOne(parityCase, name, await logits.data());
  tf.dispose([images, logits]);
  net.parameters.dispose();
}

/** Weights after the steps, and their change. */
function checkWeights({ state, expected }: ParityCase, trained: StateDict, name: string): void {
  const wanted = unflatten(floats(expected, name).data, state, isWeight);
  const got = pick(trained, isWeight);
  assertParity(got, wanted, name);
  assertChange(got, wanted, { initial: pick(state, isWeight), steps: 3, label: name });
}

/** Sequence A: three weight steps. */
async function checkWeightSteps(parityCase: ParityCase): Promise<void> {
  const trainer = await loadedTrainer(parityCase);
  trainer.weightStep(batchOf(parityCase, 0));
  checkOne(parityCase, "loss", [(await trainer.report("weights")).loss]);
  for (const batch of [1, 2]) trainer.weightStep(batchOf(parityCase, batch));
  const trained = await networkOf(trainer);
  trainer.dispose();
  assertEquals(pick(trained, isAlpha), pick(parityCase.state, isAlpha), "alphas stay");
  if (parityCase.expected.has("a.weights")) checkWeights(parityCase, trained, "a.weights");
  await checkEvaluation(parityCase, { trained, name: "a.evaluation_logits" });
}

/** Sequence B: three times an alpha step and a weight step. */
async function checkAlternatingSteps(parityCase: ParityCase): Promise<void> {
  const { state, expected } = parityCase;
  const trainer = await loadedTrainer(parityCase);
  for (const round of [0, 1, 2]) {
    trainer.alphaStep(batchOf(parityCase, (round + 1) % 3));
    trainer.weightStep(batchOf(parityCase, round));
  }
  const trained = await networkOf(trainer);
  trainer.dispose();
  checkWeights(parityCase, trained, "b.weights");
  for (const name of ALPHAS) {
    const wanted = new Map([[name, floats(expected, `b.${name}`).data]]);
    const got = pick(trained, isAlpha);
    assertParity(got, wanted, `b.${name}`);
    assertChange(got, wanted, { initial: pick(state, isAlpha), steps: 3, label: `b.${name}` });
  }
  assertParity(
    pick(trained, isRunning),
    unflatten(floats(expected, "b.running").data, state, isRunning),
    "b.running",
  );
  const counts = [...trained].filter(([name]) => name.endsWith("num_batches_tracked"));
  assertEquals(new Set(counts.map(([, { data }]) => data[0])), new Set([6n]));
  await checkEvaluation(parityCase, { trained, name: "b.evaluation_logits" });
}

if (permitted(FIXTURES_READ)) {
  onEachDevice((test, device) => {
    for (const name of device.fast ? CASE_NAMES : [SMALLEST]) {
      const parity = (check: (parityCase: ParityCase) => Promise<void>) => async () =>
        await check(await readCase(name));
      test(
        `Supernet gives PyTorch's logits, loss, running statistics and gradients of weights in ${name}`,
        parity((parityCase) => checkPass(parityCase, "weights")),
      );
      test(
        `Supernet gives PyTorch's gradients of alphas in ${name}`,
        parity((parityCase) => checkPass(parityCase, "alphas")),
      );
      if (!device.fast) continue;
      test(
        `StageTrainer gives PyTorch's weights and logits after three weight steps of ${name}`,
        parity(checkWeightSteps),
      );
      test(
        `StageTrainer gives PyTorch's weights, alphas and logits after three rounds of ${name}`,
        parity(checkAlternatingSteps),
      );
    }
  });
}
