/**
 * The one list of kernels that the cuDNN backend implements itself; every other kernel is
 * tfjs-backend-cpu's, on the host. To add one: write `kernels/<op>.ts`, and a row here.
 */

import {
  AddN,
  BatchMatMul,
  Cast,
  Concat,
  Fill,
  getKernel,
  getKernelsForBackend,
  type KernelFunc,
  OnesLike,
  Pack,
  registerKernel,
  Slice,
  Softmax,
  SplitV,
  Sum,
  type TensorInfo,
  Unpack,
  unregisterKernel,
  ZerosLike,
} from "@tensorflow/tfjs-core";
import { BRANCHES, BRANCHES_GRAD } from "../ops/branches.ts";
import { GLOBAL_AVERAGE_POOL, GLOBAL_AVERAGE_POOL_GRAD } from "../ops/global_average_pool.ts";
import { NORMALISED_SUM, NORMALISED_SUM_GRAD } from "../ops/normalised_sum.ts";
import { ADAM_STEP, SGD_STEP } from "../ops/optimizer_step.ts";
import { RUNNING_STATISTICS } from "../ops/running_statistics.ts";
import { SOFTMAX_CROSS_ENTROPY } from "../ops/softmax_cross_entropy.ts";
import type { CudnnBackend } from "./backend.ts";
import { registerFallbacks } from "./fallback.ts";
import { addNKernel } from "./kernels/add_n.ts";
import { branchesKernel } from "./kernels/branches.ts";
import { branchesGradKernel } from "./kernels/branches_grad.ts";
import {
  concatKernel,
  packKernel,
  sliceKernel,
  splitKernel,
  unpackKernel,
} from "./kernels/concat.ts";
import {
  binaryKernels,
  castKernel,
  fillKernel,
  fillLike,
  unaryKernels,
} from "./kernels/elementwise.ts";
import {
  globalAveragePoolGradKernel,
  globalAveragePoolKernel,
} from "./kernels/global_average_pool.ts";
import { batchMatMulKernel } from "./kernels/mat_mul.ts";
import { normalisedSumKernel } from "./kernels/normalised_sum.ts";
import { normalisedSumGradKernel } from "./kernels/normalised_sum_grad.ts";
import { adamStepKernel, sgdStepKernel } from "./kernels/optimizer_step.ts";
import { runningStatisticsKernel } from "./kernels/running_statistics.ts";
import { softmaxKernel } from "./kernels/softmax.ts";
import { softmaxCrossEntropyKernel } from "./kernels/softmax_cross_entropy.ts";
import { sumKernel } from "./kernels/sum.ts";

// A kernel knows the inputs and attributes of its own op, tfjs only that they are records.
type Kernel = (
  backend: CudnnBackend,
  call: { inputs: never; attrs: never },
) => TensorInfo | TensorInfo[];

const KERNELS: Record<string, Kernel> = {
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

/** A kernel of tfjs's own that applies to some calls; undefined leaves a call to the host. */
type PartialKernel = (
  backend: CudnnBackend,
  call: { inputs: never; attrs: never },
) => TensorInfo | TensorInfo[] | undefined;

const REPLACED: Record<string, PartialKernel> = {
  [AddN]: addNKernel,
  [BatchMatMul]: batchMatMulKernel,
  [Cast]: castKernel,
  [Concat]: concatKernel,
  [Fill]: fillKernel,
  [OnesLike]: fillLike(1),
  [Pack]: packKernel,
  [Slice]: sliceKernel,
  [Softmax]: softmaxKernel,
  [SplitV]: splitKernel,
  [Sum]: sumKernel,
  [Unpack]: unpackKernel,
  [ZerosLike]: fillLike(0),
  ...unaryKernels,
  ...binaryKernels,
};

/** Registers all kernels under a backend's name, once. */
export function registerKernels(backendName: string): void {
  if (getKernelsForBackend(backendName).length > 0) return;
  registerFallbacks(backendName);
  const register = (kernelName: string, kernelFunc: KernelFunc) =>
    registerKernel({ kernelName, backendName, kernelFunc });
  for (const [kernelName, kernel] of Object.entries(KERNELS)) {
    register(kernelName, (call) => attempt(kernel, call));
  }
  for (const [kernelName, kernel] of Object.entries(REPLACED)) {
    const { kernelFunc: fallback } = getKernel(kernelName, backendName);
    unregisterKernel(kernelName, backendName);
    register(kernelName, (call) => attempt(kernel, call) ?? fallback(call));
  }
}

/** Calls a kernel; tensors it made are freed if it throws. */
function attempt<Result>(
  kernel: (backend: CudnnBackend, call: { inputs: never; attrs: never }) => Result,
  { backend, inputs, attrs }: Parameters<KernelFunc>[0],
): Result {
  const cudnn = backend as CudnnBackend;
  return cudnn.scope.attempt(() =>
    kernel(cudnn, { inputs: inputs as never, attrs: attrs as never })
  );
}
