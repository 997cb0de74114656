/** tfjs's Sum in CUDA over neighbouring axes, float32. */

import { backend_util, type SumAttrs, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../backend.ts";
import blockSum from "../cuda/block_sum.cuh" with { type: "text" };
import source from "../cuda/sum.cu" with { type: "text" };
import { cudaModule } from "../module.ts";

const SUM = cudaModule("sum", blockSum + source).kernel("sumAxis");

/** The sums, or undefined where the dtype is another, or the axes are apart. */
export function sumKernel(
  backend: CudnnBackend,
  { inputs: { x }, attrs: { axis, keepDims } }: { inputs: { x: TensorInfo }; attrs: SumAttrs },
): TensorInfo | undefined {
  const axes = util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
  const together = axes.every((one, index) => one === axes[0] + index);
  if (x.dtype !== "float32" || axes.length === 0 || !together) return undefined;
  const last = axes[axes.length - 1];
  const [short, reduced] = backend_util.computeOutAndReduceShapes(x.shape, axes);
  const shape = keepDims ? backend_util.expandShapeToKeepDim(short, axes) : short;
  const result = backend.allocate(shape);
  backend.launch(SUM, {
    blocks: util.sizeFromShape(short),
    threads: 128,
    arguments: {
      x: backend.address(x),
      y: backend.address(result),
      length: util.sizeFromShape(reduced),
      inner: util.sizeFromShape(x.shape.slice(last + 1)),
    },
  });
  return result;
}
