/** Steps of SGD and Adam over all parameters on the CPU. Opposite of ops/optimizer_step.ts. */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { hostNumber } from "../../host_number.ts";
import type { AdamAttrs, SgdAttrs } from "../../ops/optimizer_step.ts";
import type { CpuBackend } from "../backend.ts";

/** Inputs: parameters, gradients, momenta. Outputs: parameters, momenta, norm. */
export function sgdStepKernel(
  backend: CpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: SgdAttrs },
): TensorInfo[] {
  const { momentum, weightDecay } = attrs, learningRate = hostNumber(attrs.learningRate);
  return step(backend, inputs, {
    lists: 3,
    clip: attrs.clip,
    update: ([p, g, m], [pOut, mOut], { n, factor }) =>
      backend.threads.kernels
        .sgdStep(p, g, m, pOut, mOut, n, factor, weightDecay, momentum, learningRate),
  });
}

/** Inputs: parameters, gradients, first and second moments. Outputs: all but gradients, norm. */
export function adamStepKernel(
  backend: CpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: AdamAttrs },
): TensorInfo[] {
  const { beta1, beta2, epsilon, weightDecay } = attrs;
  const count = hostNumber(attrs.step);
  const rate = hostNumber(attrs.learningRate) / (1 - beta1 ** count);
  const root = 1 / Math.sqrt(1 - beta2 ** count);
  return step(backend, inputs, {
    lists: 4,
    clip: attrs.clip,
    update: ([p, g, m, v], [pOut, mOut, vOut], { n, factor }) =>
      backend.threads.kernels.adamStep(
        ...[p, g, m, v, pOut, mOut, vOut, n, factor, weightDecay],
        ...[beta1, 1 - beta1, beta2, 1 - beta2, rate, root, epsilon],
      ),
  });
}

type Update = (
  from: number[],
  to: number[],
  options: { n: number; factor: number },
) => void;

function step(
  backend: CpuBackend,
  inputs: TensorInfo[],
  { lists, clip, update }: { lists: number; clip: number; update: Update },
): TensorInfo[] {
  const count = inputs.length / lists, addresses = inputs.map((input) => backend.address(input));
  const sizes = inputs.slice(0, count).map(({ shape }) => util.sizeFromShape(shape));
  let squares = 0;
  for (let i = 0; i < count; i++) {
    squares += backend.threads.kernels.sumSquares(addresses[count + i], sizes[i]);
  }
  const norm = Math.sqrt(squares), factor = Math.min(1, clip / (norm + 1e-6));
  const outputs = Array.from(
    { length: (lists - 1) * count },
    (_, i) => backend.allocate(inputs[i % count].shape),
  );
  for (let i = 0; i < count; i++) {
    const from = Array.from({ length: lists }, (_, list) => addresses[list * count + i]);
    const to = Array.from(
      { length: lists - 1 },
      (_, list) => backend.address(outputs[list * count + i]),
    );
    update(from, to, { n: sizes[i], factor });
  }
  const total = backend.allocate([]);
  backend.floats(total)[0] = norm;
  return [...outputs, total];
}
