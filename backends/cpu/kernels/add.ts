/**
 * tfjs's Add on the CPU for float32 tensors of one shape, which is how the tape accumulates gradients;
 * tensors scaled by channel stay unevaluated. Other cases are tfjs-backend-cpu's.
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { CpuBackend } from "../backend.ts";
import { areAlike, runElementwise } from "./elementwise.ts";

/** The sum, or undefined where this kernel does not apply. */
export function addKernel(
  backend: CpuBackend,
  { inputs: { a, b } }: { inputs: { a: TensorInfo; b: TensorInfo } },
): TensorInfo | undefined {
  if (!areAlike(a, b)) return undefined;
  return backend.scaledSum(a, b) ?? runElementwise(backend, "addTensors", [a, b]);
}
