/**
 * Opens NVIDIA's libraries by their files.
 *
 * The order matters: a library that needs another finds it by name only if that has been opened
 * before, as Deno opens each for itself. cuDNN and NVRTC look for `libcublasLt` and
 * `libnvrtc-builtins` when they are first used; cuDNN ends the process where a part of it is missing,
 * so that `discovery.ts` checks all files first.
 */

import { BackendError } from "../../contract.ts";
import { type Cublas, CUBLAS_FUNCTIONS } from "./cublas.ts";
import { type Cuda, CUDA_FUNCTIONS } from "./cuda.ts";
import { type Cudnn, CUDNN_FUNCTIONS } from "./cudnn.ts";
import { type Nvrtc, NVRTC_FUNCTIONS } from "./nvrtc.ts";

/** Files of the libraries, by their real paths. */
export interface LibraryFiles {
  /** The driver, `libcuda.so.1`. */
  readonly cuda: string;
  /** `libcudnn.so.9`. */
  readonly cudnn: string;
  /** `libcublas.so.12` or `.13`. */
  readonly cublas: string;
  /** `libnvrtc.so.12` or `.13`. */
  readonly nvrtc: string;
  /** What must be open before these are: `libcublasLt` and `libnvrtc-builtins`. */
  readonly before: readonly string[];
}

/** All of them, opened, until the process ends. */
export interface Libraries {
  readonly cuda: Cuda;
  readonly cudnn: Cudnn;
  readonly cublas: Cublas;
  readonly nvrtc: Nvrtc;
}

/**
 * Opens the libraries.
 *
 * @throws {BackendError} If the loader refuses one of them, or one lacks a function.
 */
export function openLibraries(files: LibraryFiles): Libraries {
  for (const path of files.before) open(path, {});
  return {
    cuda: open(files.cuda, CUDA_FUNCTIONS),
    cublas: open(files.cublas, CUBLAS_FUNCTIONS),
    nvrtc: open(files.nvrtc, NVRTC_FUNCTIONS),
    cudnn: open(files.cudnn, CUDNN_FUNCTIONS),
  };
}

function open<Functions extends Deno.ForeignLibraryInterface>(
  path: string,
  functions: Functions,
): Deno.DynamicLibrary<Functions>["symbols"] {
  try {
    return Deno.dlopen(path, functions).symbols;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BackendError("cudnn", `Cannot open ${path}: ${reason}`);
  }
}
