/** Running statistics of all batch norms on the CPU. Opposite of ops/running_statistics.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { RunningStatisticsAttrs } from "../../ops/running_statistics.ts";
import type { CpuBackend } from "../backend.ts";

/** Inputs: all running `[2, C]`, then all moments; outputs: the new running ones. */
export function runningStatisticsKernel(
  backend: CpuBackend,
  { inputs, attrs: { momentum, counts } }: { inputs: TensorInfo[]; attrs: RunningStatisticsAttrs },
): TensorInfo[] {
  return counts.map((count, index) => {
    const result = backend.allocate(inputs[index].shape), channels = inputs[index].shape[1];
    const old = backend.floats(inputs[index]), to = backend.floats(result);
    const moments = backend.floats(inputs[counts.length + index]);
    const unbiased = count / Math.max(1, count - 1);
    for (let i = 0; i < to.length; i++) {
      const value = i < channels ? moments[i] : moments[i] * unbiased;
      to[i] = (1 - momentum) * old[i] + momentum * value;
    }
    return result;
  });
}
