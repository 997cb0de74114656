/** The loss in WGSL, with its gradient and counts. Opposite of ops/softmax_cross_entropy.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { SoftmaxCrossEntropyAttrs } from "../../ops/softmax_cross_entropy.ts";
import type { WebGpuBackend } from "../backend.ts";
import { program } from "../program.ts";
import sample from "../wgsl/softmax_cross_entropy.wgsl" with { type: "text" };
import batch from "../wgsl/softmax_cross_entropy_sum.wgsl" with { type: "text" };

const SAMPLE = program("softmax cross-entropy", sample);
const BATCH = program("softmax cross-entropy, sum", batch);

/** Samples counted for top-5. */
const TOP = 5;

/** Loss, counts, and gradient by logits. */
export function softmaxCrossEntropyKernel(
  backend: WebGpuBackend,
  { inputs: [logits, labels], attrs }: { inputs: TensorInfo[]; attrs: SoftmaxCrossEntropyAttrs },
): TensorInfo[] {
  const [samples, classes] = logits.shape, { labelSmoothing } = attrs;
  const loss = backend.allocate([]), counts = backend.allocate([2]);
  const gradient = backend.allocate([samples, classes]);
  const losses = backend.takeScratch(4 * samples), ranks = backend.takeScratch(4 * samples);
  try {
    backend.run(SAMPLE, {
      buffers: [...[logits, labels, gradient].map((info) => backend.buffer(info)), losses, ranks],
      uniforms: { samples, classes, own: 1 - labelSmoothing, spread: labelSmoothing / classes },
      invocations: samples,
    });
    backend.run(BATCH, {
      buffers: [losses, ranks, backend.buffer(loss), backend.buffer(counts)],
      uniforms: { samples, top: TOP },
      invocations: 1,
      workgroup: 1,
    });
  } finally {
    backend.releaseScratch(losses);
    backend.releaseScratch(ranks);
  }
  return [loss, counts, gradient];
}
