/**
 * The loss of a batch with its gradient, and the counts behind top-1 and top-5 accuracy.
 *
 *     loss = mean_n -sum_c t_nc log softmax(logits_n)_c,  t = (1 - s) onehot + s / classes
 *
 * Label smoothing s as in Szegedy et al., "Rethinking the Inception architecture", 2016, section 7.
 */

import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, registerFusedGradient, runFused } from "./fused.ts";

/** Name of the kernel. Its outputs are the loss, the counts, and the gradient of the loss by logits. */
export const SOFTMAX_CROSS_ENTROPY = "PdartsSoftmaxCrossEntropy";

/** The second count is of labels among so many of the largest logits. */
export const TOP = 5;

/** Attributes of the kernel. */
export interface SoftmaxCrossEntropyAttrs {
  labelSmoothing: number;
}

/** What {@linkcode softmaxCrossEntropy} yields. */
export type LossOutput = {
  /** Scalar float32: the batch's mean loss, in nats. */
  loss: tf.Scalar;
  /**
   * `[2]` float32: how many samples have their label first, and among the first five. A class with
   * the label's own logit counts as before it when its index is smaller.
   */
  counts: tf.Tensor1D;
};

/**
 * Computes the loss and the accuracy counts.
 *
 * @param logits `[N, classes]` float32.
 * @param labels `[N]` int32, each in 0..classes-1; checked by the data loader, not here.
 * @param options.labelSmoothing s in [0, 1); default 0.
 * @returns Both tensors; the caller disposes.
 * @throws {TypeError} If a rank or dtype differs.
 * @throws {RangeError} If the numbers of logits and labels differ, or the smoothing is out of range.
 */
export function softmaxCrossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  { labelSmoothing = 0 }: { labelSmoothing?: number } = {},
): LossOutput {
  if (logits.rank !== 2 || logits.dtype !== "float32" || labels.dtype !== "int32") {
    throw new TypeError(
      `Cannot run softmaxCrossEntropy: want float32 [N, classes] and int32 [N], got ` +
        `${logits.dtype} [${logits.shape}] and ${labels.dtype} [${labels.shape}]`,
    );
  }
  if (labels.size !== logits.shape[0]) {
    throw new RangeError(
      `Cannot run softmaxCrossEntropy: got ${logits.shape[0]} logits and ${labels.size} labels`,
    );
  }
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new RangeError(`Cannot smooth labels: want a share in [0, 1), got ${labelSmoothing}`);
  }
  if (!hasKernel(SOFTMAX_CROSS_ENTROPY)) {
    return tf.tidy(() => compose(logits, labels, labelSmoothing));
  }
  const [loss, counts, gradient] = runFused(SOFTMAX_CROSS_ENTROPY, {
    inputs: [logits, labels],
    attrs: { labelSmoothing },
  });
  if (!tf.engine().isTapeOn()) gradient.dispose();
  return { loss: loss as tf.Scalar, counts: counts as tf.Tensor1D };
}

function compose(logits: tf.Tensor2D, labels: tf.Tensor1D, smoothing: number): LossOutput {
  const classes = logits.shape[1];
  const index = tf.range(0, classes, 1, "int32"), own = tf.expandDims(labels, 1);
  const hot = tf.cast(tf.equal(index, own), "float32");
  const target = tf.add(tf.mul(hot, 1 - smoothing), smoothing / classes);
  const loss = tf.neg(tf.mean(tf.sum(tf.mul(target, tf.logSoftmax(logits)), 1)));
  const ownLogit = tf.sum(tf.mul(logits, hot), 1, true);
  const before = tf.logicalOr(
    tf.greater(logits, ownLogit),
    tf.logicalAnd(tf.equal(logits, ownLogit), tf.less(index, own)),
  );
  const rank = tf.sum(tf.cast(before, "float32"), 1);
  const within = (k: number) => tf.sum(tf.cast(tf.less(rank, k), "float32"));
  return { loss: loss as tf.Scalar, counts: tf.stack([within(1), within(TOP)]) as tf.Tensor1D };
}

registerFusedGradient(SOFTMAX_CROSS_ENTROPY, ({ dys, outputs }) => {
  const [, , gradient] = outputs;
  return [tf.mul(gradient, dys[0]), undefined];
});
