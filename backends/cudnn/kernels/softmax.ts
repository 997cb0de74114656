/** tfjs's Softmax in CUDA, over the last axis, float32. */

import { type SoftmaxAttrs, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../backend.ts";
import blockSum from "../cuda/block_sum.cuh" with { type: "text" };
import source from "../cuda/softmax.cu" with { type: "text" };
import { cudaModule } from "../module.ts";

const SOFTMAX = cudaModule("softmax", blockSum + source).kernel("softmax");

/** The softmax of rows, or undefined where the dtype is another. */
export function softmaxKernel(
  backend: CudnnBackend,
  { inputs: { logits }, attrs: { dim } }: {
    inputs: { logits: TensorInfo };
    attrs: SoftmaxAttrs;
  },
): TensorInfo | undefined {
  const { shape, dtype } = logits;
  if (dtype !== "float32" || dim !== shape.length - 1) return undefined;
  const result = backend.allocate(shape);
  backend.launch(SOFTMAX, {
    blocks: util.sizeFromShape(shape.slice(0, -1)),
    threads: 32,
    arguments: { x: backend.address(logits), y: backend.address(result), width: shape[dim] },
  });
  return result;
}
