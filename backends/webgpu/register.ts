/**
 * The one list of kernels that the WebGPU backend implements itself; every other kernel is
 * tfjs-backend-webgpu's. To add one: write `kernels/<op>.ts`, and a row here.
 */

import {
  Add,
  AddN,
  Concat,
  getKernelsForBackend,
  type KernelFunc,
  registerKernel,
  SplitV,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { BRANCHES, BRANCHES_GRAD } from "../ops/branches.ts";
import { GLOBAL_AVERAGE_POOL, GLOBAL_AVERAGE_POOL_GRAD } from "../ops/global_average_pool.ts";
import { NORMALISED_SUM, NORMALISED_SUM_GRAD } from "../ops/normalised_sum.ts";
import { ADAM_STEP, SGD_STEP } from "../ops/optimizer_step.ts";
import { RUNNING_STATISTICS } from "../ops/running_statistics.ts";
import { SOFTMAX_CROSS_ENTROPY } from "../ops/softmax_cross_entropy.ts";
import type { WebGpuBackend } from "./backend.ts";
import { addKernel } from "./kernels/add.ts";
import { addNKernel } from "./kernels/add_n.ts";
import { branchesKernel } from "./kernels/branches.ts";
import { branchesGradKernel } from "./kernels/branches_grad.ts";
import { concatKernel, splitKernel } from "./kernels/concat.ts";
import {
  globalAveragePoolGradKernel,
  globalAveragePoolKernel,
} from "./kernels/global_average_pool.ts";
import { normalisedSumKernel } from "./kernels/normalised_sum.ts";
import { normalisedSumGradKernel } from "./kernels/normalised_sum_grad.ts";
import { adamStepKernel, sgdStepKernel } from "./kernels/optimizer_step.ts";
import { runningStatisticsKernel } from "./kernels/running_statistics.ts";
import { softmaxCrossEntropyKernel } from "./kernels/softmax_cross_entropy.ts";
import { naming } from "./tensor_size.ts";

// A kernel knows the attributes of its own op, tfjs only that they are a record.
type Kernel = (
  backend: WebGpuBackend,
  call: { inputs: TensorInfo[]; attrs: never },
) => TensorInfo | TensorInfo[];

const KERNELS: Record<string, Kernel> = {
  [BRANCHES]: branchesKernel,
  [BRANCHES_GRAD]: branchesGradKernel,
  [GLOBAL_AVERAGE_POOL]: globalAveragePoolKernel,
  [GLOBAL_AVERAGE_POOL_GRAD]: globalAveragePoolGradKernel,
  [NORMALISED_SUM]: normalisedSumKernel,
  [NORMALISED_SUM_GRAD]: normalisedSumGradKernel,
  [SOFTMAX_CROSS_ENTROPY]: softmaxCrossEntropyKernel,
  [SGD_STEP]: sgdStepKernel,
  [ADAM_STEP]: adamStepKernel,
  [RUNNING_STATISTICS]: runningStatisticsKernel,
  [AddN]: addNKernel,
};

/** Kernels of tfjs that ours stand in for where they apply. */
type PartialKernel = (
  backend: WebGpuBackend,
  call: { inputs: never; attrs: never },
) => TensorInfo | TensorInfo[] | undefined;

const REPLACED: Record<string, PartialKernel> = {
  [Add]: addKernel,
  [Concat]: concatKernel,
  [SplitV]: splitKernel,
};

/** Registers all kernels under a backend's name, once. */
export function registerKernels(backendName: string): void {
  if (getKernelsForBackend(backendName).length > 0) return;
  const register = (kernelName: string, kernelFunc: KernelFunc) =>
    registerKernel({
      kernelName,
      backendName,
      kernelFunc: naming(
        kernelName,
        (call) => (call.backend as WebGpuBackend).scope.attempt(() => kernelFunc(call)),
      ),
    });
  for (const { kernelName, kernelFunc } of getKernelsForBackend("webgpu")) {
    if (kernelName in KERNELS) continue;
    const kernel = REPLACED[kernelName];
    register(
      kernelName,
      kernel
        ? (call) => kernel(call.backend as WebGpuBackend, call as never) ?? kernelFunc(call)
        : kernelFunc,
    );
  }
  for (const [kernelName, kernel] of Object.entries(KERNELS)) {
    register(kernelName, ({ inputs, backend, attrs }) =>
      kernel(backend as WebGpuBackend, {
        inputs: inputs as unknown as TensorInfo[],
        attrs: attrs as never,
      }));
  }
}
