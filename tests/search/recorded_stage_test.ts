/** Tests of a stage whose steps are recorded and replayed, on every device that can: the bits stay. */

import * as tf from "@tensorflow/tfjs-core";
import { allPrimitives } from "../../search/edge_weights.ts";
import {
  REPORT_KINDS,
  type StageSettings,
  type StageState,
  StageTrainer,
} from "../../search/stage_trainer.ts";
import { assert, assertEquals, assertNotEquals } from "../assert.ts";
import { onEachDevice, type RunningDevice } from "../backends/devices.ts";
import { tinyBatch, tinySettings } from "./tiny_network.ts";

/** A trainer with dropout behind the skips of all edges. */
function newTrainer(
  running: RunningDevice,
  { recorded, ...changes }: { recorded: boolean } & Partial<StageSettings>,
): StageTrainer {
  const all = allPrimitives();
  const settings = tinySettings({ normal: all, reduce: all, skipDropout: 0.4, ...changes });
  return new StageTrainer(settings, recorded ? running.createRecorder!() : undefined);
}

/** Steps of both kinds on two batches of four and an epoch's last of three, then an evaluation. */
function runEpoch(trainer: StageTrainer, epoch: number): void {
  const before = trainer.beginEpoch(epoch - 1), rates = trainer.beginEpoch(epoch);
  assertNotEquals(rates.learningRate, before.learningRate);
  assertNotEquals(rates.skipDropout, before.skipDropout);
  [4, 4, 3].forEach((size, step) => {
    trainer.alphaStep(tinyBatch(100 * epoch + step));
    trainer.weightStep(tinyBatch(100 * epoch + 10 + step, size));
  });
  trainer.evaluate(tinyBatch(epoch));
}

async function reportsOf(trainer: StageTrainer): Promise<unknown[]> {
  const reports = [];
  for (const kind of REPORT_KINDS) reports.push(await trainer.report(kind));
  return reports;
}

/** Three epochs with reports and saves between steps, and from an earlier state the last two again. */
async function history(trainer: StageTrainer): Promise<unknown[]> {
  const seen: unknown[] = [], states: StageState[] = [];
  for (const epoch of [1, 2, 3]) {
    runEpoch(trainer, epoch);
    states.push(await trainer.state());
    seen.push(await reportsOf(trainer), await trainer.alphas());
  }
  trainer.restore(states[0]);
  for (const epoch of [2, 3]) runEpoch(trainer, epoch);
  seen.push(states, await trainer.state(), await reportsOf(trainer));
  return seen;
}

/** The methods by which kernels put work onto a device that records, by its family. */
const KERNEL_CALLS: Record<string, string[]> = {
  webgpu: ["run", "runWebGPUProgram"],
  cudnn: ["launch", "convolution"],
};

onEachDevice((test, device) => {
  const names = KERNEL_CALLS[device.family];
  if (!names) return;

  test("recorded steps give the bits of unrecorded ones, over epochs and a restore", async ({ running }) => {
    const results: unknown[][] = [];
    for (const recorded of [false, true]) {
      const trainer = newTrainer(running, { recorded });
      results.push(await history(trainer));
      trainer.dispose();
    }
    assertEquals(results[1], results[0]);
  });

  test("a recorded step of the same kind and size runs no kernel again", ({ running }) => {
    const trainer = newTrainer(running, { recorded: true });
    runEpoch(trainer, 1);
    const backend = tf.backend() as unknown as Record<string, (...call: unknown[]) => unknown>;
    let calls = 0;
    for (const name of names) {
      const original = backend[name];
      backend[name] = (...call) => (calls++, original.apply(backend, call));
    }
    try {
      runEpoch(trainer, 2);
      assertEquals(calls, 0);
      trainer.weightStep(tinyBatch(1, 2));
      assert(calls > 0, "a batch of another size is recorded");
    } finally {
      for (const name of names) delete backend[name]; // the class has them
    }
    trainer.dispose();
  });

  test("dropout that ends is another step", async ({ running }) => {
    const states: StageState[] = [];
    for (const recorded of [false, true]) {
      const trainer = newTrainer(running, { recorded, skipDropoutDecay: 1000 });
      const dropouts = [0, 3].map((epoch) => {
        const { skipDropout } = trainer.beginEpoch(epoch);
        for (const seed of [1, 2]) trainer.weightStep(tinyBatch(seed));
        return skipDropout > 0.01;
      });
      assertEquals(dropouts, [true, false]);
      states.push(await trainer.state());
      trainer.dispose();
    }
    assertEquals(states[1], states[0]);
  });
});
