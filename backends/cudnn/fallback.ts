/**
 * tfjs's kernels that have none in CUDA: tfjs-backend-cpu's on the host, counted by name.
 *
 * They work on this backend itself, which extends tfjs-backend-cpu's: inputs are copied from the card
 * when such a kernel reads their values, outputs are copied to it when a kernel of ours asks for them.
 */

import {
  copyRegisteredKernels,
  ExpandDims,
  getKernelsForBackend,
  Identity,
  Reshape,
} from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "./backend.ts";

/** Kernels that share the values of their input, wherever these are: they fall back to nothing. */
const SHARING: readonly string[] = [ExpandDims, Identity, Reshape];

/** Registers all of tfjs-backend-cpu's kernels under a backend's name. */
export function registerFallbacks(backendName: string): void {
  copyRegisteredKernels("cpu", backendName);
  for (const config of getKernelsForBackend(backendName)) {
    const { kernelName, kernelFunc } = config;
    if (SHARING.includes(kernelName)) continue;
    config.kernelFunc = (call) => {
      const { fallbacks, scope } = call.backend as CudnnBackend;
      fallbacks.set(kernelName, (fallbacks.get(kernelName) ?? 0) + 1);
      return scope.attempt(() => kernelFunc(call));
    };
  }
}
