/** A test and a step of a training, for what they run or need and not for their results. */

import type { Recorder } from "../backends/contract.ts";
import { NetworkTrainer, type TrainingSettings } from "./network_trainer.ts";

/** Side of the images: the auxiliary head takes no smaller ones. */
const SIDE = 32;

/**
 * Takes the steps on a network of their own.
 *
 * @param size Images of a batch.
 * @param recorder That of the network, where the training has one.
 */
export function dryTraining(
  settings: TrainingSettings,
  { size, recorder }: { size: number; recorder?: Recorder },
): void {
  const batch = {
    images: new Float32Array(size * SIDE * SIDE * 3),
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
