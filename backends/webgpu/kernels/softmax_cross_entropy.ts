/** The loss in WGSL, with its gradient and counts. Opposite of ops/softmax_cross_entropy.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type SoftmaxCrossEntropyAttrs, TOP } from "../../ops/softmax_cross_entropy.ts";
import type { WebGpuBackend } from "../backend.ts";
import { program } from "../program.ts";
import sample from "../wgsl/softmax_cross_entropy.wgsl" with { type: "text" };
import batch from "../wgsl/softmax_cross_entropy_sum.wgsl" with { type: "text" };
import { Scratch } from "./scratch.ts";

const SAMPLE = program("softmax cross-entropy", sample);
const BATCH = program("softmax cross-entropy, sum", batch);

/** Loss, counts, and gradient by logits. */
export function softmaxCrossEntropyKernel(
  backend: WebGpuBackend,
  { inputs: [logits, labels], attrs }: { inputs: TensorInfo[]; attrs: SoftmaxCrossEntropyAttrs },
): TensorInfo[] {
  const [samples, classes] = logits.shape, { labelSmoothing } = attrs;
  const loss = backend.allocate([]), counts = backend.allocate([2]);
  const gradient = backend.allocate([samples, classes]);
  using scratch = new Scratch(backend);
  const losses = scratch.floats(samples), ranks = scratch.floats(samples);
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
  return [loss, counts, gradient];
}
