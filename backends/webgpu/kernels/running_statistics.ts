/** Running statistics of all batch norms in WGSL. Opposite of ops/running_statistics.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { RunningStatisticsAttrs } from "../../ops/running_statistics.ts";
import type { WebGpuBackend } from "../backend.ts";
import { packProgram, runPacks } from "../packs.ts";
import source from "../wgsl/running_statistics.wgsl" with { type: "text" };

const RUNNING = packProgram("running statistics", source, { most: 8 });

/** Inputs: all running `[2, C]`, then all moments; outputs: the new running ones. */
export function runningStatisticsKernel(
  backend: WebGpuBackend,
  { inputs, attrs: { momentum, counts } }: { inputs: TensorInfo[]; attrs: RunningStatisticsAttrs },
): TensorInfo[] {
  const results = counts.map((_, index) => backend.allocate(inputs[index].shape));
  runPacks(backend, RUNNING, {
    shared: [],
    uniforms: { momentum },
    tensors: results.map((result, index) => ({
      buffers: [inputs[index], inputs[counts.length + index], result]
        .map((info) => backend.buffer(info)),
      uniforms: {
        channels: result.shape[1],
        unbiased: counts[index] / Math.max(1, counts[index] - 1),
      },
      invocations: 2 * result.shape[1],
    })),
  });
  return results;
}
