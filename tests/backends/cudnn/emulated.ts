/** Starts the cuDNN backend on the emulator, which must be here: see `EMULATOR_ABSENT`. */

import type { Backend, BackendOptions } from "../../../backends/contract.ts";
import { EMULATOR_FOLDER } from "../../cuda_emulator/build.ts";
import { openEmulator } from "../../cuda_emulator/emulator.ts";

/**
 * Its kernels are kept beside the emulator, and end with it. Engines are cuDNN's estimate, so that a step
 * takes the same memory whatever ran before it, unless a test asks for others.
 */
export async function startEmulated(options: BackendOptions = {}): Promise<Backend> {
  // Only where there is an emulator is the backend loaded.
  const { startCudnnBackend } = await import("../../../backends/cudnn/backend.ts");
  const usual = { engines: "heuristic", cacheDir: EMULATOR_FOLDER } as const;
  return await startCudnnBackend({ ...usual, ...options }, await openEmulator());
}
