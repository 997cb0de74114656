/**
 * Loss and accuracy added up on the device, and read once per report.
 *
 * Invariant: the number of tensors never changes between `add` and the next, so a step leaves its tensor
 * count at the baseline; the sums can be saved and restored exactly.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { HostTensor } from "./safetensors.ts";

/** Means over samples. */
export interface Report {
  /** Mean loss in nats. */
  loss: number;
  /** Share of samples whose label was first, in [0, 1]. */
  top1: number;
  /** Share of samples whose label was among the first five, in [0, 1]. */
  top5: number;
  /** Samples since the last report. */
  samples: number;
}

/** Sums over the samples seen so far in an epoch; divided by `samples` they are a {@linkcode Report}. */
export type Sums = Report;

/** Sums over no sample. */
export function noSums(): Sums {
  return { loss: 0, top1: 0, top5: 0, samples: 0 };
}

/** Adds a report to an epoch's sums. */
export function addReport(sums: Sums, { loss, top1, top5, samples }: Report): void {
  sums.loss += loss * samples;
  sums.top1 += top1 * samples;
  sums.top5 += top5 * samples;
  sums.samples += samples;
}

/** The means over the samples of an epoch; undefined before the first report. */
export function meansOf({ loss, top1, top5, samples }: Sums): Report | undefined {
  if (samples === 0) return undefined;
  return { loss: loss / samples, top1: top1 / samples, top5: top5 / samples, samples };
}

/** Running sums; dispose when done. */
export class Metrics {
  /** `[3]` float32: sum of losses, top-1 and top-5 counts. */
  #sums: tf.Tensor1D = zeroSums();
  #samples = 0;

  /**
   * Adds a batch's sums; its samples are still to be counted, with `count`.
   *
   * @param batch.loss Scalar: the batch's mean loss. Stays the caller's, as do the counts.
   * @param batch.counts `[2]` float32: top-1 and top-5 counts.
   */
  add({ loss, counts }: { loss: tf.Scalar; counts: tf.Tensor1D }, size: number): void {
    const sums = tf.tidy(() => {
      const sum = tf.reshape(tf.mul(loss, size), [1]) as tf.Tensor1D;
      return tf.keep(tf.add(this.#sums, tf.concat1d([sum, counts])));
    });
    this.#replace(sums as tf.Tensor1D);
  }

  /** Counts the samples of a batch that was added. */
  count(size: number): void {
    this.#samples += size;
  }

  /** `[3]` float32: the sums on the device, another tensor after `add`, `read` and `restore`. */
  get sums(): tf.Tensor1D {
    return this.#sums;
  }

  /** Reads the means and starts again; all are 0 where there was no sample. */
  async read(): Promise<Report> {
    const sums = this.#sums, samples = this.#samples;
    this.#sums = zeroSums();
    this.#samples = 0;
    const [loss, top1, top5] = await sums.data();
    sums.dispose();
    const share = samples === 0 ? 0 : 1 / samples;
    return { loss: loss * share, top1: top1 * share, top5: top5 * share, samples };
  }

  /** The sums so far. */
  async state(): Promise<{ sums: HostTensor; samples: number }> {
    const data = new Float32Array(await this.#sums.data());
    return { sums: { shape: [3], data }, samples: this.#samples };
  }

  /** Continues from saved sums. */
  restore({ sums, samples }: { sums: HostTensor; samples: number }): void {
    const restored = tf.keep(tf.tensor1d(new Float32Array(sums.data as Float32Array)));
    this.#replace(restored);
    this.#samples = samples;
  }

  /** Frees the sums. */
  dispose(): void {
    this.#sums.dispose();
  }

  #replace(sums: tf.Tensor1D): void {
    this.#sums.dispose();
    this.#sums = sums;
  }
}

function zeroSums(): tf.Tensor1D {
  return tf.keep(tf.zeros<tf.Rank.R1>([3]));
}
