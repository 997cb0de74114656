/**
 * tfjs's AddN for any number of inputs: tfjs-backend-webgpu binds them all in one dispatch, which a device
 * with fewer bindings refuses, so that here as many are added at a time as it has; tensors that exceed
 * a binding are added in slices.
 */

import { AddN, getKernel, type NamedTensorInfoMap, type TensorInfo } from "@tensorflow/tfjs-core";
import type { WebGpuBackend } from "../backend.ts";
import { addLarge } from "./add.ts";

/** Adds tensors of one shape. */
export function addNKernel(
  backend: WebGpuBackend,
  { inputs }: { inputs: TensorInfo[] },
): TensorInfo {
  const large = addLarge(backend, inputs);
  if (large) return large;
  // One binding is the output's.
  const most = backend.limits.maxStorageBuffersPerShaderStage - 1;
  let sum = addAtOnce(backend, inputs.slice(0, most));
  for (let next = most; next < inputs.length; next += most - 1) {
    const before = sum;
    sum = addAtOnce(backend, [before, ...inputs.slice(next, next + most - 1)]);
    backend.disposeData(before.dataId);
  }
  return sum;
}

function addAtOnce(backend: WebGpuBackend, inputs: TensorInfo[]): TensorInfo {
  const { kernelFunc } = getKernel(AddN, "webgpu")!;
  const list = inputs as unknown as NamedTensorInfoMap;
  return kernelFunc({ inputs: list, backend, attrs: undefined }) as TensorInfo;
}
