/**
 * Naive optimisers and running statistics, written from PyTorch's documentation of torch.optim.SGD,
 * torch.optim.Adam, clip_grad_norm_ and BatchNorm2d.
 *
 * Inputs are named `p.0`, `g.0`, `m.0`, `v.0`, ...; outputs alike, and `norm`.
 */

import type { AdamAttrs, SgdAttrs, StepAttrs } from "../../../backends/ops/optimizer_step.ts";
import { type Tensors64, withoutPrefix, zeros } from "./tensor64.ts";

/** Attributes whose numbers are no functions. */
type Fixed<Attrs> = { [Key in keyof Attrs]: number };

/** One step of SGD with momentum. */
export function naiveSgd(inputs: Tensors64, attrs: Fixed<SgdAttrs>): Tensors64 {
  return step(inputs, attrs, (outputs, index, at) => {
    const p = outputs[`p.${index}`].values, m = outputs[`m.${index}`].values;
    return (gradient) => {
      m[at] = attrs.momentum * m[at] + gradient;
      p[at] -= attrs.learningRate * m[at];
    };
  });
}

/** One step of Adam. */
export function naiveAdam(inputs: Tensors64, attrs: Fixed<AdamAttrs>): Tensors64 {
  const { beta1, beta2, learningRate, epsilon, step: count } = attrs;
  return step(inputs, attrs, (outputs, index, at) => {
    const p = outputs[`p.${index}`].values;
    const m = outputs[`m.${index}`].values, v = outputs[`v.${index}`].values;
    return (gradient) => {
      m[at] += (1 - beta1) * (gradient - m[at]);
      v[at] = beta2 * v[at] + (1 - beta2) * gradient * gradient;
      const mean = m[at] / (1 - Math.pow(beta1, count));
      const square = v[at] / (1 - Math.pow(beta2, count));
      p[at] -= learningRate * mean / (Math.sqrt(square) + epsilon);
    };
  });
}

type Update = (outputs: Tensors64, index: number, at: number) => (gradient: number) => void;

function step(inputs: Tensors64, attrs: StepAttrs, update: Update): Tensors64 {
  const gradients = Object.values(withoutPrefix(inputs, "g."));
  const squares = gradients.map(({ values }) => values.reduce((sum, g) => sum + g * g, 0));
  const norm = zeros([]);
  norm.values[0] = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
  const factor = Math.min(1, attrs.clip / (norm.values[0] + 1e-6));
  const outputs: Tensors64 = {};
  for (const [name, { shape, values }] of Object.entries(inputs)) {
    if (!name.startsWith("g.")) outputs[name] = { shape, values: values.slice() };
  }
  gradients.forEach(({ values }, index) => {
    const before = inputs[`p.${index}`].values;
    values.forEach((gradient, at) =>
      update(outputs, index, at)(gradient * factor + attrs.weightDecay * before[at])
    );
  });
  outputs.norm = norm;
  return outputs;
}

/** Running statistics. Inputs: `running.0`, `moments.0`, ...; outputs `running.0`, ... */
export function naiveRunningStatistics(
  inputs: Tensors64,
  { momentum, counts }: { momentum: number; counts: number[] },
): Tensors64 {
  return Object.fromEntries(counts.map((count, index) => {
    const old = inputs[`running.${index}`], moments = inputs[`moments.${index}`];
    const channels = old.shape[1], next = zeros(old.shape);
    for (let c = 0; c < channels; c++) {
      const variance = moments.values[channels + c] * (count > 1 ? count / (count - 1) : 1);
      next.values[c] = (1 - momentum) * old.values[c] + momentum * moments.values[c];
      next.values[channels + c] = (1 - momentum) * old.values[channels + c] + momentum * variance;
    }
    return [`running.${index}`, next];
  }));
}
