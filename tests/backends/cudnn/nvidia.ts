/**
 * NVIDIA's packages as tests find them: `deno task test:cudnn:install` puts them into `.cache/nvidia`.
 *
 * Tests that need them pass `ignore: !nvidiaInstalled(...)`; what is missing is printed once a file.
 */

import { type NeededPermissions, permitted } from "../../permitted.ts";

/** Where the packages' files are: `cudnn` and `cu13`, each with `lib` and `include`. */
export const NVIDIA_FOLDER = ".cache/nvidia/nvidia";

/** The folders of `cuda.h`, `cublas_v2.h`, `nvrtc.h` and `cudnn.h`. */
export const NVIDIA_INCLUDES = ["cu13/include", "cu13/include/cccl", "cudnn/include"].map((
  folder,
) => `${NVIDIA_FOLDER}/${folder}`);

let reported = false;

/** Whether the packages are installed, and all that is needed beyond them is permitted. */
export function nvidiaInstalled(needed: NeededPermissions): boolean {
  if (!permitted({ read: ["."], ...needed })) return false;
  const installed = NVIDIA_INCLUDES.every(exists);
  if (!installed && !reported) {
    console.log(`skipping tests that need ${NVIDIA_FOLDER}; use \`deno task test:cudnn:install\``);
    reported = true;
  }
  return installed;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
