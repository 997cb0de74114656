/** The cuDNN backend on the emulator of tests/cuda_emulator, where that has been built. */

import type { Backend } from "../../../backends/contract.ts";
import { permitted } from "../../permitted.ts";

const FOLDER = ".cache/cuda_emulator";

/** Why the emulator cannot be used here, if so. */
export const EMULATOR_ABSENT: string | undefined = absence();

function absence(): string | undefined {
  const needed = { read: ["."], write: [".cache"], ffi: true };
  if (!permitted(needed)) return "it needs --allow-read=. --allow-write=.cache --allow-ffi";
  try {
    Deno.statSync(`${FOLDER}/libcuda.so.1`);
    return undefined;
  } catch {
    return "the CUDA emulator is not built";
  }
}

/** Starts the backend on it. */
export async function startEmulated(): Promise<Backend> {
  // Only where there is an emulator is the backend loaded.
  const { startCudnnBackend } = await import("../../../backends/cudnn/backend.ts");
  const { openLibraries } = await import("../../../backends/cudnn/ffi/open.ts");
  const at = (file: string) => Deno.realPathSync(`${FOLDER}/${file}`);
  const libraries = openLibraries({
    cuda: at("libcuda.so.1"),
    cudnn: at("libcudnn.so.9"),
    toolkits: [{
      major: 13,
      cublas: at("libcublas.so.13"),
      nvrtc: at("libnvrtc.so.13"),
      before: [],
    }],
  });
  return await startCudnnBackend({}, libraries);
}
