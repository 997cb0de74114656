/**
 * tfjs's Cast on the CPU from a narrower to a wider type of numbers: tfjs-backend-cpu then gives the same
 * values a second dtype, but a block of memory has one, and kernels read it by address. Other cases
 * are tfjs-backend-cpu's.
 */

import { type DataType, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { CpuBackend } from "../backend.ts";

const WIDER: Partial<Record<DataType, readonly DataType[]>> = {
  bool: ["int32", "float32"],
  int32: ["float32"],
};

/** The values in a block of their own, or undefined where this kernel does not apply. */
export function castKernel(
  backend: CpuBackend,
  { inputs: { x }, attrs: { dtype } }: { inputs: { x: TensorInfo }; attrs: { dtype: DataType } },
): TensorInfo | undefined {
  if (!WIDER[x.dtype]?.includes(dtype)) return undefined;
  const values = backend.view(backend.address(x), x.dtype, util.sizeFromShape(x.shape));
  return backend.makeTensorInfo(x.shape, dtype, values);
}
