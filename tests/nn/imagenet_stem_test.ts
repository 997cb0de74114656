/**
 * Tests on every device with kernels of training steps with ImageNet's stem, on images whose halves are odd:
 * gradients against plain tfjs, of the evaluation network and of the supernet's weights and alphas; and the
 * same bits from low memory, recorded steps, and any number of threads.
 */

import * as tf from "@tensorflow/tfjs-core";
import { NetworkTrainer } from "../../evaluate/network_trainer.ts";
import type { TrainerState } from "../../nn/trainer_state.ts";
import { StageTrainer } from "../../search/stage_trainer.ts";
import { assert, assertEquals } from "../assert.ts";
import { onComposition, onEachDevice, type RunningDevice } from "../backends/devices.ts";
import { tinySettings as networkSettings } from "../evaluate/tiny_network.ts";
import { tinyBatch, tinySettings as stageSettings } from "../search/tiny_network.ts";

/** To 10, 5, 3 and 2 pixels: cell 0 reduces an odd image, and so does a reduction cell. */
const SIDE = 37;
const batchOf = (seed: number) => tinyBatch(seed, 3, SIDE);

type Options = {
  memory?: "low";
  recorder?: ReturnType<NonNullable<RunningDevice["createRecorder"]>>;
};

/** What two steps make of a network and its optimiser, paths dropped. */
async function trainNetwork({ memory, recorder }: Options = {}): Promise<TrainerState> {
  const auxiliary = { enabled: false, weight: 0 };
  const settings = networkSettings({ network: "imagenet", auxiliary, memory });
  const trainer = new NetworkTrainer(settings, recorder);
  trainer.beginEpoch(2);
  for (const seed of [1, 2]) trainer.trainStep(batchOf(seed));
  const state = await trainer.state();
  trainer.dispose();
  return state;
}

/** What a stage's steps of both kinds make of a supernet and its optimisers. */
async function trainStage({ memory, recorder }: Options = {}): Promise<TrainerState> {
  const trainer = new StageTrainer(stageSettings({ network: "imagenet", memory }), recorder);
  trainer.beginEpoch(2);
  for (const seed of [1, 2]) {
    trainer.alphaStep(batchOf(seed));
    trainer.weightStep(batchOf(10 + seed));
  }
  const state = await trainer.state();
  trainer.dispose();
  return state;
}

/** The optimisers' averages of gradients, by name. */
function averages({ tensors }: TrainerState): [string, Float32Array][] {
  return [...tensors].filter(([name]) => /^optimizer(\.\w+)?\.(momentum|first)\./.test(name))
    .map(([name, { data }]) => [name, data as Float32Array]);
}

/** Fails unless all gradients are within a thousandth of the largest of their kind. */
function assertNear(actual: TrainerState, expected: TrainerState): void {
  const wanted = averages(expected), got = new Map(averages(actual));
  assert(wanted.length > 0);
  for (const kind of new Set(wanted.map(([name]) => name.replace(/\.[^.]+\..*/, "")))) {
    const group = wanted.filter(([name]) => name.startsWith(kind));
    const largest = Math.max(...group.flatMap(([, data]) => [...data.map(Math.abs)]));
    for (const [name, data] of group) {
      data.forEach((value, index) => {
        const error = Math.abs(got.get(name)![index] - value);
        assert(error <= 1e-3 * largest, `${name}[${index}]: off by ${error} of ${largest}`);
      });
    }
  }
}

for (const [what, train] of Object.entries({ network: trainNetwork, stage: trainStage })) {
  const firstOfFamily = new Map<string, TrainerState>();
  let expected: TrainerState | undefined;

  onEachDevice((test, device) => {
    if (!device.fast) return;

    test(`a ${what} for ImageNet takes the gradients of plain tfjs`, async () => {
      expected ??= await onComposition(train);
      assertNear(await train(), expected);
    });

    test(`a ${what} for ImageNet gives the same bits in every way`, async ({ running }) => {
      const before = tf.memory().numTensors, plain = await train();
      assertEquals(tf.memory().numTensors, before);
      assertEquals(await train({ memory: "low" }), plain);
      if (running.createRecorder) {
        assertEquals(await train({ recorder: running.createRecorder() }), plain);
      }
      const first = firstOfFamily.get(device.family);
      if (first) assertEquals(plain, first);
      else firstOfFamily.set(device.family, plain);
    });
  });
}
