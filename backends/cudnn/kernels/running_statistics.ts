/** Running statistics of all batch norms in CUDA, one launch. Opposite of ops/running_statistics.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { RunningStatisticsAttrs } from "../../ops/running_statistics.ts";
import type { CudnnBackend } from "../backend.ts";
import source from "../cuda/running_statistics.cu" with { type: "text" };
import { cudaModule } from "../module.ts";
import { Scratch } from "./scratch.ts";

const RUNNING = cudaModule("running statistics", source).kernel("runningStatistics");

/** Inputs: all running `[2, C]`, then all moments; outputs: the new running ones. */
export function runningStatisticsKernel(
  backend: CudnnBackend,
  { inputs, attrs: { momentum, counts } }: { inputs: TensorInfo[]; attrs: RunningStatisticsAttrs },
): TensorInfo[] {
  const results = counts.map((_, index) => backend.allocate(inputs[index].shape));
  using scratch = new Scratch(backend);
  const addresses = [...inputs, ...results].map((info) => backend.address(info));
  backend.launch(RUNNING, {
    blocks: counts.length,
    threads: 128,
    arguments: {
      addresses: scratch.upload(BigUint64Array.from(addresses)),
      channels: scratch.upload(Int32Array.from(results, ({ shape }) => shape[1])),
      unbiased: scratch.upload(
        Float32Array.from(counts, (count) => count / Math.max(1, count - 1)),
      ),
      count: counts.length,
      momentum,
    },
  });
  return results;
}
