/**
 * tfjs's Add in WGSL for float32 tensors of one shape that exceed a binding, which is how the tape
 * accumulates gradients; other cases are tfjs-backend-webgpu's, which binds whole tensors.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WebGpuBackend } from "../backend.ts";
import { runAddition } from "./items.ts";

/** The sum, or undefined where this kernel does not apply. */
export function addKernel(
  backend: WebGpuBackend,
  { inputs: { a, b } }: { inputs: { a: TensorInfo; b: TensorInfo } },
): TensorInfo | undefined {
  return addLarge(backend, [a, b]);
}

/** The sum of tensors that exceed a binding, or undefined for others. */
export function addLarge(backend: WebGpuBackend, inputs: TensorInfo[]): TensorInfo | undefined {
  const [{ shape }] = inputs, elements = util.sizeFromShape(shape);
  const applies = 4 * elements > backend.limits.maxStorageBufferBindingSize &&
    inputs.every((input) => input.dtype === "float32" && util.arraysEqual(input.shape, shape));
  if (!applies) return undefined;
  const out = backend.allocate(shape), sum = backend.buffer(out);
  inputs.forEach((input, index) =>
    runAddition(backend, { a: backend.buffer(input), sum, elements, add: index > 0 })
  );
  return out;
}
