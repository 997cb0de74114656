/**
 * One step of every kind that a stage takes, for what they run or need and not for their results.
 * Programs depend on the network and on the number of images, not on their size, so that the least will do.
 */

import type { Recorder } from "../backends/contract.ts";
import { type StageSettings, StageTrainer } from "./stage_trainer.ts";

/** Side of the images, in pixels, unless another is asked for: the two reductions leave one. */
const SIDE = 4;

/**
 * Takes the steps on a network of their own.
 *
 * @param size Images of a batch.
 * @param side Their sides in pixels.
 * @param recorder That of the network, where the stage's has one.
 */
export function drySteps(
  settings: StageSettings,
  { size, side = SIDE, recorder }: { size: number; side?: number; recorder?: Recorder },
): void {
  const images = new Float32Array(size * side * side * 3);
  const batch = { images, labels: new Int32Array(size), size };
  const trainer = new StageTrainer(settings, recorder);
  try {
    trainer.evaluate(batch);
    trainer.alphaStep(batch);
    trainer.weightStep(batch);
  } finally {
    trainer.dispose();
  }
}
