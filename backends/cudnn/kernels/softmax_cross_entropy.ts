/** The loss in CUDA, with its gradient and counts. Opposite of ops/softmax_cross_entropy.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type SoftmaxCrossEntropyAttrs, TOP } from "../../ops/softmax_cross_entropy.ts";
import type { CudnnBackend } from "../backend.ts";
import blockSum from "../cuda/block_sum.cuh" with { type: "text" };
import source from "../cuda/softmax_cross_entropy.cu" with { type: "text" };
import { cudaModule } from "../module.ts";
import { Scratch } from "./scratch.ts";

const MODULE = cudaModule("softmax cross-entropy", blockSum + source);
const SAMPLE = MODULE.kernel("softmaxCrossEntropy");
const BATCH = MODULE.kernel("softmaxCrossEntropySum");

/** Loss, counts, and gradient by logits. */
export function softmaxCrossEntropyKernel(
  backend: CudnnBackend,
  { inputs: [logits, labels], attrs }: { inputs: TensorInfo[]; attrs: SoftmaxCrossEntropyAttrs },
): TensorInfo[] {
  const [samples, classes] = logits.shape, { labelSmoothing } = attrs;
  const loss = backend.allocate([]), counts = backend.allocate([2]);
  const gradient = backend.allocate([samples, classes]);
  using scratch = new Scratch(backend);
  const losses = scratch.floats(samples), ranks = scratch.floats(samples);
  backend.launch(SAMPLE, {
    blocks: samples,
    threads: 32,
    arguments: {
      logits: backend.address(logits),
      labels: backend.address(labels),
      gradient: backend.address(gradient),
      losses,
      ranks,
      samples,
      classes,
      own: 1 - labelSmoothing,
      spread: labelSmoothing / classes,
    },
  });
  backend.launch(BATCH, {
    blocks: 1,
    threads: 256,
    arguments: {
      losses,
      ranks,
      loss: backend.address(loss),
      counts: backend.address(counts),
      samples,
      top: TOP,
    },
  });
  return [loss, counts, gradient];
}
