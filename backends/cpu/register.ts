/**
 * The one list of kernels that the CPU backend implements itself; every other kernel is
 * tfjs-backend-cpu's. To add one: write `kernels/<op>.ts`, and a row here.
 */

import {
  Add,
  BatchMatMul,
  Cast,
  Concat,
  copyRegisteredKernels,
  getKernel,
  getKernelsForBackend,
  type KernelFunc,
  Multiply,
  registerKernel,
  Relu,
  SplitV,
  Step,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { BRANCHES, BRANCHES_GRAD } from "../ops/branches.ts";
import { GLOBAL_AVERAGE_POOL, GLOBAL_AVERAGE_POOL_GRAD } from "../ops/global_average_pool.ts";
import { NORMALISED_SUM, NORMALISED_SUM_GRAD } from "../ops/normalised_sum.ts";
import { ADAM_STEP, SGD_STEP } from "../ops/optimizer_step.ts";
import { RUNNING_STATISTICS } from "../ops/running_statistics.ts";
import { SOFTMAX_CROSS_ENTROPY } from "../ops/softmax_cross_entropy.ts";
import type { CpuBackend } from "./backend.ts";
import { addKernel } from "./kernels/add.ts";
import { branchesKernel } from "./kernels/branches.ts";
import { branchesGradKernel } from "./kernels/branches_grad.ts";
import { castKernel } from "./kernels/cast.ts";
import { concatKernel, splitKernel } from "./kernels/concat.ts";
import { multiplyKernel, reluKernel, stepKernel } from "./kernels/elementwise.ts";
import {
  globalAveragePoolGradKernel,
  globalAveragePoolKernel,
} from "./kernels/global_average_pool.ts";
import { matMulKernel } from "./kernels/mat_mul.ts";
import { normalisedSumKernel } from "./kernels/normalised_sum.ts";
import { normalisedSumGradKernel } from "./kernels/normalised_sum_grad.ts";
import { adamStepKernel, sgdStepKernel } from "./kernels/optimizer_step.ts";
import { runningStatisticsKernel } from "./kernels/running_statistics.ts";
import { softmaxCrossEntropyKernel } from "./kernels/softmax_cross_entropy.ts";

// A kernel knows the attributes of its own op, tfjs only that they are a record.
type FusedKernel = (
  backend: CpuBackend,
  call: { inputs: TensorInfo[]; attrs: never },
) => TensorInfo[];

const KERNELS: Record<string, FusedKernel> = {
  [ADAM_STEP]: adamStepKernel,
  [BRANCHES]: branchesKernel,
  [BRANCHES_GRAD]: branchesGradKernel,
  [GLOBAL_AVERAGE_POOL]: globalAveragePoolKernel,
  [GLOBAL_AVERAGE_POOL_GRAD]: globalAveragePoolGradKernel,
  [NORMALISED_SUM]: normalisedSumKernel,
  [NORMALISED_SUM_GRAD]: normalisedSumGradKernel,
  [RUNNING_STATISTICS]: runningStatisticsKernel,
  [SGD_STEP]: sgdStepKernel,
  [SOFTMAX_CROSS_ENTROPY]: softmaxCrossEntropyKernel,
};

/** A kernel of tfjs's own that applies to some calls; undefined leaves a call to tfjs-backend-cpu. */
type PartialKernel = (
  backend: CpuBackend,
  call: { inputs: never; attrs: never },
) => TensorInfo | TensorInfo[] | undefined;

const REPLACED: Record<string, PartialKernel> = {
  [Add]: addKernel,
  [BatchMatMul]: matMulKernel,
  [Cast]: castKernel,
  [Concat]: concatKernel,
  [Multiply]: multiplyKernel,
  [Relu]: reluKernel,
  [SplitV]: splitKernel,
  [Step]: stepKernel,
};

/** Registers all kernels under a backend's name, once. */
export function registerKernels(backendName: string): void {
  if (getKernelsForBackend(backendName).length > 0) return;
  copyRegisteredKernels("cpu", backendName);
  for (const config of getKernelsForBackend(backendName)) {
    const { kernelFunc } = config;
    config.kernelFunc = (call) =>
      (call.backend as CpuBackend).scope.foreign(() => kernelFunc(call));
  }
  for (const [kernelName, kernel] of Object.entries(KERNELS)) {
    const kernelFunc: KernelFunc = ({ inputs, backend, attrs }) =>
      (backend as CpuBackend).scope.attempt(() =>
        kernel(backend as CpuBackend, {
          inputs: inputs as unknown as TensorInfo[],
          attrs: attrs as never,
        })
      );
    registerKernel({ kernelName, backendName, kernelFunc });
  }
  for (const [kernelName, kernel] of Object.entries(REPLACED)) {
    const { kernelFunc: fallback } = getKernel(kernelName, backendName);
    const kernelFunc: KernelFunc = (call) =>
      (call.backend as CpuBackend).scope.attempt(() =>
        kernel(call.backend as CpuBackend, call as never)
      ) ?? fallback(call);
    unregisterKernel(kernelName, backendName);
    registerKernel({ kernelName, backendName, kernelFunc });
  }
}
