/**
 * NVIDIA's packages as tests find them: `deno task test:cudnn:install` puts them into `.cache/nvidia`.
 *
 * Tests that need them pass `ignore: !nvidiaInstalled(...)`; what is missing is printed once a file.
 */

import { type NeededPermissions, permitted } from "../../permitted.ts";

const FOLDER = ".cache/nvidia/nvidia";

/** The folders of `cuda.h`, `cublas_v2.h`, `nvrtc.h` and `cudnn.h`. */
export const NVIDIA_INCLUDES = [
  `${FOLDER}/cu13/include`,
  `${FOLDER}/cu13/include/cccl`,
  `${FOLDER}/cudnn/include`,
];

/** Files of the libraries; the driver is not among them. */
export const NVIDIA_FILES = {
  cudnn: `${FOLDER}/cudnn/lib/libcudnn.so.9`,
  cublas: `${FOLDER}/cu13/lib/libcublas.so.13`,
  nvrtc: `${FOLDER}/cu13/lib/libnvrtc.so.13`,
  before: [
    `${FOLDER}/cu13/lib/libcublasLt.so.13`,
    `${FOLDER}/cu13/lib/libnvrtc-builtins.so.13.5`,
  ],
};

let reported = false;

/** Whether the packages are installed, and all that is needed beyond them is permitted. */
export function nvidiaInstalled(needed: NeededPermissions): boolean {
  if (!permitted({ read: ["."], ...needed })) return false;
  const installed = [...NVIDIA_INCLUDES, NVIDIA_FILES.cudnn].every(exists);
  if (!installed && !reported) {
    console.log(`skipping tests that need ${FOLDER}; use \`deno task test:cudnn:install\``);
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
