/** A test and a step of a training, for what they run or need and not for their results. */

import type { Recorder } from "../backends/contract.ts";
import { NetworkTrainer, type TrainingSettings } from "./network_trainer.ts";

/**
 * Takes the steps on a network of their own.
 *
 * @param size Images of a batch.
 * @param side Their sides in pixels.
 * @param recorder That of the network, where the training has one.
 */
export function dryTraining(
  settings: TrainingSettings,
  { size, side, recorder }: { size: number; side: number; recorder?: Recorder },
): void {
  const batch = {
    images: new Float32Array(size * side * side * 3),
    labels: new Int32Array(size),
    size,
  };
  const trainer = new NetworkTrainer(settings, recorder);
  try {
    trainer.evaluate(batch);
    trainer.trainStep(batch);
  } finally {
    trainer.dispose();
  }
}
