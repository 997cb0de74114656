/** The normalised sum on the CPU, forward. Opposite of ops/normalised_sum.ts. */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { NormalisedSumAttrs } from "../../ops/normalised_sum.ts";
import type { CpuBackend } from "../backend.ts";
import { WorkBlocks, writeRecords } from "../records.ts";
import { layoutBytes, SumCall, TermRecord } from "../wasm/layouts.ts";
import { planSum, type SumPlan } from "./normalised_sum_plan.ts";

/** Bytes of a vector group's dropout mask. */
export const MASK_BYTES = 64;

/** Runs the forward kernel. */
export function normalisedSumKernel(
  backend: CpuBackend,
  { inputs, attrs }: { inputs: TensorInfo[]; attrs: NormalisedSumAttrs },
): TensorInfo[] {
  using work = new WorkBlocks(backend.arena);
  const out = backend.allocate(inputs[attrs.terms[0].x].shape);
  const plan = planSum(backend, work, { inputs, attrs });
  plan.call.out = backend.address(out);
  const scratchBytes = MASK_BYTES + 4 * (plan.call.unmasked + 1) * plan.call.period;
  runSum(backend, work, { kernel: "normalisedSumForward", plan, scratchBytes });
  return [out];
}

/** Writes the records and runs a kernel over all parts. */
export function runSum(
  backend: CpuBackend,
  work: WorkBlocks,
  { kernel, plan: { call, records }, scratchBytes }: {
    kernel: string;
    plan: SumPlan;
    scratchBytes: number;
  },
): void {
  call.records = work.take(records.length * layoutBytes(TermRecord));
  writeRecords(backend.arena, call.records, { layout: TermRecord, records });
  const args = work.take(layoutBytes(SumCall));
  writeRecords(backend.arena, args, { layout: SumCall, records: [call] });
  const values = call.images * call.elements, special = call.terms - call.plain;
  const backward = kernel === "normalisedSumBackward";
  backend.run(kernel, args, {
    parts: call.parts,
    scratchBytes,
    work: () => ({
      label: `normalised sum ${backward ? "backward" : "forward"} of ${call.elements} values`,
      flops: 2 * call.terms * values,
      bytes: 4 * values * (call.terms + 1 + (backward ? special : 0)),
    }),
  });
}
