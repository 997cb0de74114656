/**
 * Tests of the network trainer on every device with kernels: learning, tensor counts, exact
 * continuation, the same bits whatever the number of threads, and recorded steps.
 */

import * as tf from "@tensorflow/tfjs-core";
import {
  NetworkTrainer,
  type TrainerState,
  type TrainingSettings,
} from "../../evaluate/network_trainer.ts";
import { foldNetwork } from "../../evaluate/folded_network.ts";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "../assert.ts";
import { onEachDevice, type RunningDevice } from "../backends/devices.ts";
import { tinyBatch } from "../search/tiny_network.ts";
import { tinySettings } from "./tiny_network.ts";

/** As large as the auxiliary head wants them. */
const SIDE = 32;
const batchOf = (seed: number, size = 4) => tinyBatch(seed, size, SIDE);

/** A trainer after two steps, paths dropped, and an evaluation. */
function trained(changes: Partial<TrainingSettings> = {}): NetworkTrainer {
  const trainer = new NetworkTrainer(tinySettings(changes));
  trainer.beginEpoch(2);
  for (const step of [0, 1]) trainer.trainStep(batchOf(step, 3));
  trainer.evaluate(batchOf(3, 2));
  return trainer;
}

/** Two epochs of two sizes of batches each, the first of which drops nothing, and what they lead to. */
async function history(
  running: RunningDevice,
  { recorded }: { recorded: boolean },
): Promise<unknown[]> {
  const seen: unknown[] = [];
  const trainer = new NetworkTrainer(
    tinySettings(),
    recorded ? running.createRecorder!() : undefined,
  );
  for (const epoch of [0, 1]) {
    assertEquals(trainer.beginEpoch(epoch).dropPath, 0.3 * epoch / 4);
    [3, 3, 2].forEach((size, step) => trainer.trainStep(batchOf(10 * epoch + step, size)));
    trainer.evaluate(batchOf(epoch, 2));
    seen.push(await trainer.report("training"), await trainer.report("evaluation"));
  }
  seen.push(await trainer.state());
  trainer.dispose();
  return seen;
}

/** Families of devices that record steps. */
const RECORDING = ["webgpu", "cudnn"];

/** What the first device of a family computed. */
const firstOfFamily = new Map<string, TrainerState>();

onEachDevice((test, device) => {
  if (!device.fast) return;

  test("trainStep() lowers the loss of its batch", async () => {
    const auxiliary = { enabled: false, weight: 0 };
    const trainer = new NetworkTrainer(tinySettings({ dropPath: 0, auxiliary }));
    const batch = tinyBatch(1, 16), losses: number[] = [];
    for (let step = 0; step < 10; step++) {
      trainer.trainStep(batch);
      losses.push((await trainer.report()).loss);
    }
    assert(losses[9] < 0.5 * losses[0], losses.join(" "));
    trainer.dispose();
  });

  test("every step returns to the tensors and bytes before it", async ({ running }) => {
    const trainer = trained();
    const bytes = running.bytes(), tensors = tf.memory().numTensors;
    for (const kind of ["trainStep", "evaluate"] as const) {
      trainer[kind](batchOf(4));
      assertEquals(tf.memory().numTensors, tensors, kind);
      assertEquals(running.bytes(), bytes, kind);
    }
    await trainer.report();
    assertEquals(tf.memory().numTensors, tensors, "report");
    trainer.dispose();
  });

  test("restore() continues bit for bit, and low memory gives the same bits", async () => {
    const one = trained();
    const others = (["normal", "low"] as const).map((memory) =>
      new NetworkTrainer(tinySettings({ memory }))
    );
    const state = await one.state();
    for (const other of others) other.restore(state);
    for (const trainer of [one, ...others]) {
      trainer.trainStep(batchOf(5));
      trainer.evaluate(batchOf(6));
    }
    const after = await one.state();
    for (const other of others) assertEquals(await other.state(), after);
    const first = firstOfFamily.get(device.family);
    if (first) assertEquals(after, first, "whatever the number of threads");
    else firstOfFamily.set(device.family, after);
    for (const trainer of [one, ...others]) trainer.dispose();
  });

  test("a folded network gives the logits of the network", async () => {
    const trainer = trained(), { network } = trainer;
    const before = tf.memory().numTensors;
    const x = tf.randomNormal<tf.Rank.R4>([3, SIDE, SIDE, 3], 0, 1, "float32", 7);
    {
      using folded = foldNetwork(network);
      const { logits } = network.forward(x), expected = await logits.data();
      for (const _ of [1, 2]) {
        const actual = folded.forward(x), values = await actual.data();
        values.forEach((value, index) => assertAlmostEquals(value, expected[index], 1e-4));
        actual.dispose();
      }
      tf.dispose([x, logits]);
    }
    assertEquals(tf.memory().numTensors, before);
    trainer.dispose();
  });

  if (!RECORDING.includes(device.family)) return;

  test("recorded steps give the bits of unrecorded ones, whatever is dropped", async ({ running }) => {
    const [plain, recorded] = [
      await history(running, { recorded: false }),
      await history(running, { recorded: true }),
    ];
    assertEquals(recorded, plain);
    assertNotEquals(plain[0], plain[2]);
  });
});
