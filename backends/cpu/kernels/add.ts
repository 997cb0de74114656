/**
 * tfjs's Add on the CPU for float32 tensors of one shape, which is how the tape accumulates gradients;
 * tensors scaled by channel stay unevaluated. Other cases are tfjs-backend-cpu's.
 */

import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { CpuBackend } from "../backend.ts";
import { PARTS } from "../parts.ts";
import { WorkBlocks, writeRecords } from "../records.ts";
import { AddCall, layoutBytes } from "../wasm/layouts.ts";

/** Below this size a call to other threads costs more than it saves. */
const SPLIT_ELEMENTS = 16384;

/** The sum, or undefined where this kernel does not apply. */
export function addKernel(
  backend: CpuBackend,
  { inputs: { a, b } }: { inputs: { a: TensorInfo; b: TensorInfo } },
): TensorInfo | undefined {
  if (a.dtype !== "float32" || b.dtype !== "float32" || !util.arraysEqual(a.shape, b.shape)) {
    return undefined;
  }
  const unevaluated = backend.scaledSum(a, b);
  if (unevaluated) return unevaluated;
  using work = new WorkBlocks(backend.arena);
  const out = backend.allocate(a.shape), elements = util.sizeFromShape(a.shape);
  const parts = elements < SPLIT_ELEMENTS ? 1 : PARTS;
  const call = {
    a: backend.address(a),
    b: backend.address(b),
    out: backend.address(out),
    elements,
    parts,
  };
  const args = work.take(layoutBytes(AddCall));
  writeRecords(backend.arena, args, { layout: AddCall, records: [call] });
  backend.run("addTensors", args, {
    parts,
    work: () => ({ label: "add", flops: elements, bytes: 12 * elements }),
  });
  return out;
}
