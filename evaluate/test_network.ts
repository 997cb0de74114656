/**
 * Tests a network: loss, top-1, top-5, and how often each class was taken for each.
 *
 * Invariant: each image counts once, in the last, smaller batch too.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { BatchSource } from "../datasets/batch_source.ts";
import { batchTensors } from "../nn/batch.ts";
import { softmaxCrossEntropy } from "../backends/ops/softmax_cross_entropy.ts";
import { Metrics, type Report } from "../nn/metrics.ts";

/** A test's result. */
export interface TestResult extends Report {
  /** `[classes][classes]` counts: rows are labels, columns what the network took them for. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * Runs the network on all batches of a source.
 *
 * @param forward Images `[N, H, W, 3]` to logits `[N, classes]`.
 * @param options.onBatch Told after each batch how many images it had.
 */
export async function testNetwork(
  forward: (images: tf.Tensor4D) => tf.Tensor2D,
  source: BatchSource,
  { classes, onBatch }: { classes: number; onBatch: (images: number) => void },
): Promise<TestResult> {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const metrics = new Metrics();
  try {
    for await (const batch of source.epoch(0)) {
      if (batch.size === 0) continue;
      const tensors = batchTensors(batch);
      const guesses = tf.tidy(() => {
        const logits = forward(tensors.images);
        metrics.add(softmaxCrossEntropy(logits, tensors.labels), batch.size);
        return tf.argMax(logits, 1);
      });
      tf.dispose([tensors.images, tensors.labels]);
      metrics.count(batch.size);
      const taken = await guesses.data();
      guesses.dispose();
      batch.labels.forEach((label, index) => confusion[label][taken[index]]++);
      onBatch(batch.size);
    }
    return { ...await metrics.read(), confusion };
  } finally {
    metrics.dispose();
  }
}

/** The share of each class's images that were taken for it; 0 where there are none. */
export function classAccuracies(confusion: TestResult["confusion"]): number[] {
  return confusion.map((row, label) => {
    const images = row.reduce((sum, count) => sum + count, 0);
    return images === 0 ? 0 : row[label] / images;
  });
}

/** The classes of the lowest accuracy, the lowest first; those without images are left out. */
export function worstClasses(confusion: TestResult["confusion"], count: number): number[] {
  const accuracies = classAccuracies(confusion);
  return [...confusion.keys()]
    .filter((label) => confusion[label].some((images) => images > 0))
    .sort((a, b) => accuracies[a] - accuracies[b] || a - b)
    .slice(0, count);
}
