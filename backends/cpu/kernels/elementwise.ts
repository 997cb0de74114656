/**
 * tfjs's Multiply, Relu and Step on the CPU, for float32 tensors of one shape: ReLUs that are no fused
 * op's, such as the auxiliary head's, and their gradients. Other cases are tfjs-backend-cpu's.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { CpuBackend } from "../backend.ts";
import { PARTS } from "../parts.ts";
import { WorkBlocks, writeRecords } from "../records.ts";
import { ElementwiseCall, layoutBytes } from "../wasm/layouts.ts";

/** Below this size a call to other threads costs more than it saves. */
const SPLIT_ELEMENTS = 16384;

/** The product, or undefined where this kernel does not apply. */
export function multiplyKernel(
  backend: CpuBackend,
  { inputs: { a, b } }: { inputs: { a: TensorInfo; b: TensorInfo } },
): TensorInfo | undefined {
  return areAlike(a, b) ? runElementwise(backend, "multiplyTensors", [a, b]) : undefined;
}

/** max(x, 0), or undefined where this kernel does not apply. */
export function reluKernel(
  backend: CpuBackend,
  { inputs: { x } }: { inputs: { x: TensorInfo } },
): TensorInfo | undefined {
  return x.dtype === "float32" ? runElementwise(backend, "reluTensor", [x]) : undefined;
}

/** 1 where x > 0, else 0, or undefined where this kernel does not apply. */
export function stepKernel(
  backend: CpuBackend,
  { inputs: { x }, attrs: { alpha } }: { inputs: { x: TensorInfo }; attrs: { alpha: number } },
): TensorInfo | undefined {
  const applies = x.dtype === "float32" && alpha === 0;
  return applies ? runElementwise(backend, "stepTensor", [x]) : undefined;
}

/** Whether two tensors are float32 of one shape. */
export function areAlike(a: TensorInfo, b: TensorInfo): boolean {
  return a.dtype === "float32" && b.dtype === "float32" && util.arraysEqual(a.shape, b.shape);
}

/** Runs a kernel of wasm/elementwise.as.ts on one float32 tensor, or on two of one shape. */
export function runElementwise(
  backend: CpuBackend,
  kernel: string,
  inputs: readonly TensorInfo[],
): TensorInfo {
  using work = new WorkBlocks(backend.arena);
  const [a, b] = inputs, elements = util.sizeFromShape(a.shape);
  const out = backend.allocate(a.shape), parts = elements < SPLIT_ELEMENTS ? 1 : PARTS;
  const call = {
    a: backend.address(a),
    b: b ? backend.address(b) : 0,
    out: backend.address(out),
    elements,
    parts,
  };
  const args = work.take(layoutBytes(ElementwiseCall));
  writeRecords(backend.arena, args, { layout: ElementwiseCall, records: [call] });
  backend.run(kernel, args, {
    parts,
    work: () => ({ label: kernel, flops: elements, bytes: 4 * (inputs.length + 1) * elements }),
  });
  return out;
}
