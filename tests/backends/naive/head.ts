/** Naive classifier end of a network: mean over the image, and the softmax cross-entropy. */

import { type NaiveResult, type Tensors64, zeros } from "./tensor64.ts";

/** Mean over height and width. Input: `x`. Output: `y`. */
export function naiveGlobalAveragePool({ x }: Tensors64): NaiveResult {
  const [batch, height, width, channels] = x.shape, pixels = height * width;
  const y = zeros([batch, channels]);
  const target = (at: number) => Math.floor(at / (pixels * channels)) * channels + at % channels;
  x.values.forEach((value, at) => y.values[target(at)] += value / pixels);
  const gradients = (cotangents: Tensors64) => ({
    x: {
      shape: x.shape,
      values: x.values.map((_, at) => cotangents.y.values[target(at)] / pixels),
    },
  });
  return { outputs: { y }, gradients };
}

/** Mean cross-entropy of smoothed labels. Inputs: `logits`, `labels`. Outputs: `loss`, `counts`. */
export function naiveSoftmaxCrossEntropy(
  { logits, labels }: Tensors64,
  { labelSmoothing = 0 }: { labelSmoothing?: number } = {},
): NaiveResult {
  const [batch, classes] = logits.shape;
  const loss = zeros([]), counts = zeros([2]), difference = zeros(logits.shape);
  for (let n = 0; n < batch; n++) {
    const row = logits.values.subarray(n * classes, (n + 1) * classes), label = labels.values[n];
    const largest = Math.max(...row);
    const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    let rank = 0;
    for (let c = 0; c < classes; c++) {
      const logProbability = row[c] - largest - Math.log(sum);
      const target = labelSmoothing / classes + (c === label ? 1 - labelSmoothing : 0);
      loss.values[0] -= target * logProbability / batch;
      difference.values[n * classes + c] = (Math.exp(logProbability) - target) / batch;
      if (row[c] > row[label] || (row[c] === row[label] && c < label)) rank++;
    }
    if (rank < 1) counts.values[0]++;
    if (rank < 5) counts.values[1]++;
  }
  const gradients = (cotangents: Tensors64) => ({
    logits: {
      shape: logits.shape,
      values: difference.values.map((value) => value * cotangents.loss.values[0]),
    },
  });
  return { outputs: { loss, counts }, gradients };
}
