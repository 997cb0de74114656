/**
 * Kernels over results of branches, compiled for each form in which these are kept, and conversions between
 * the forms: see bf16_storage.ts.
 */

import type { CudnnBackend } from "../backend.ts";
import convert from "../cuda/convert.cu" with { type: "text" };
import stored from "../cuda/stored.cuh" with { type: "text" };
import values from "../cuda/values.cuh" with { type: "text" };
import { type CudaModule, cudaModule } from "../module.ts";
import { launchEach } from "./launch_each.ts";

/** How values are kept on the card. */
export type StoredForm = "floats" | "bf16";

/** Values on the card that may be kept in either form. */
export interface StoredValues {
  address: bigint;
  form: StoredForm;
}

const ALIAS = "using Stored = float;";

/** A module for each form of what its text calls `Stored`; stored.cuh is put in front of it. */
export function storedModules(name: string, source: string): Record<StoredForm, CudaModule> {
  const bf16 = stored.replace(ALIAS, "using Stored = Bfloat16;");
  return {
    floats: cudaModule(name, `${stored}\n${source}`),
    bf16: cudaModule(`${name}, of bf16`, `${bf16}\n${source}`),
  };
}

const CONVERT = cudaModule("conversion of results", `${stored}\n${values}\n${convert}`);
const WIDEN = CONVERT.kernel("widen"), NARROW = CONVERT.kernel("narrow");

/** What a conversion reads and writes: addresses, and the number of values. */
interface Conversion {
  from: bigint;
  to: bigint;
  items: number;
}

/** Bf16 to floats. */
export function widen(backend: CudnnBackend, call: Conversion): void {
  launchEach(backend, WIDEN, { threads: call.items, arguments: { ...call } });
}

/** Floats to bf16, rounded to nearest. */
export function narrow(backend: CudnnBackend, call: Conversion): void {
  launchEach(backend, NARROW, { threads: call.items, arguments: { ...call } });
}
