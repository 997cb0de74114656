/**
 * Opens NVIDIA's libraries by their files.
 *
 * The order matters: a library that needs another finds it by its name only if that has been opened
 * before, as Deno opens each for itself. cuDNN and NVRTC look for `libcublasLt` and
 * `libnvrtc-builtins` when they are first used. `discovery.ts` has checked the files.
 */

import { BackendError } from "../../contract.ts";
import { type Cublas, CUBLAS_FUNCTIONS, CUBLAS_VALUES } from "./cublas.ts";
import { type Cuda, CUDA_FUNCTIONS } from "./cuda.ts";
import { type Cudnn, CUDNN_FUNCTIONS } from "./cudnn.ts";
import { type Nvrtc, NVRTC_FUNCTIONS } from "./nvrtc.ts";
import { checkCublas, checkCuda, checkNvrtc } from "./status.ts";

/** cuBLAS and NVRTC of one version of CUDA, by the real paths of their files. */
export interface Toolkit {
  /** 12 or 13. */
  readonly major: number;
  /** `libcublas.so.12` or `.13`. */
  readonly cublas: string;
  /** `libnvrtc.so.12` or `.13`. */
  readonly nvrtc: string;
  /** What must be open before: `libcublasLt` and `libnvrtc-builtins`. */
  readonly before: readonly string[];
}

/** Files of the libraries, by their real paths. */
export interface LibraryFiles {
  /** The driver, `libcuda.so.1`. */
  readonly cuda: string;
  /** `libcudnn.so.9`. */
  readonly cudnn: string;
  /** One a version of CUDA: cuDNN tells which it needs. */
  readonly toolkits: readonly Toolkit[];
}

/** All of them, opened, until the process ends. */
export interface Libraries {
  readonly cuda: Cuda;
  readonly cudnn: Cudnn;
  readonly cublas: Cublas;
  readonly nvrtc: Nvrtc;
  readonly versions: LibraryVersions;
}

/** Versions as people write them, such as `9.28.1`; the driver's is the CUDA that it is for. */
export type LibraryVersions = Readonly<Record<"cuda" | "cudnn" | "cublas" | "nvrtc", string>>;

/**
 * Opens the libraries.
 *
 * @throws {BackendError} If the loader refuses one of them, one lacks a function, or their versions of
 * CUDA do not fit each other.
 */
export function openLibraries(files: LibraryFiles): Libraries {
  const cuda = openLibrary(files.cuda, CUDA_FUNCTIONS),
    cudnn = openLibrary(files.cudnn, CUDNN_FUNCTIONS);
  const major = Math.floor(Number(cudnn.cudnnGetCudartVersion()) / 1000);
  const toolkit = files.toolkits.find((toolkit) => toolkit.major === major);
  if (!toolkit) {
    const majors = files.toolkits.map((toolkit) => toolkit.major).join(" and ");
    throw new BackendError(
      "cudnn",
      `Cannot use cudnn: ${files.cudnn} is for CUDA ${major}, and cuBLAS and NVRTC are found for ` +
        `CUDA ${majors}; pip install nvidia-cudnn-cu${files.toolkits[0].major}`,
    );
  }
  const driver = driverVersion(cuda);
  if (driver < major * 1000) {
    throw new BackendError(
      "cudnn",
      `Cannot use cudnn: the driver is for CUDA ${dotted(driver)}, and ${files.cudnn} for ` +
        `CUDA ${major}; update NVIDIA's driver, or pip install nvidia-cudnn-cu12 nvidia-cuda-nvrtc-cu12`,
    );
  }
  for (const path of toolkit.before) openLibrary(path, {});
  const cublas = openLibrary(toolkit.cublas, CUBLAS_FUNCTIONS);
  const nvrtc = openLibrary(toolkit.nvrtc, NVRTC_FUNCTIONS);
  return {
    cuda,
    cudnn,
    cublas,
    nvrtc,
    versions: {
      cuda: dotted(driver),
      cudnn: cudnnVersion(cudnn),
      cublas: cublasVersion(cublas),
      nvrtc: nvrtcVersion(nvrtc),
    },
  };
}

/**
 * Opens one library.
 *
 * @throws {BackendError} If the loader refuses it, or it lacks a function.
 */
export function openLibrary<Functions extends Deno.ForeignLibraryInterface>(
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

/** The version of CUDA that a driver is for, such as 13000. */
function driverVersion(cuda: Cuda): number {
  const version = new Int32Array(1);
  checkCuda(cuda, cuda.cuDriverGetVersion(version), "cuDriverGetVersion");
  return version[0];
}

function cudnnVersion(cudnn: Cudnn): string {
  const version = Number(cudnn.cudnnGetVersion());
  return [Math.floor(version / 10000), Math.floor(version % 10000 / 100), version % 100].join(".");
}

function cublasVersion(cublas: Cublas): string {
  const { MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL } = CUBLAS_VALUES;
  return [MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL].map((part) => {
    const value = new Int32Array(1);
    checkCublas(cublas, cublas.cublasGetProperty(part, value), "cublasGetProperty");
    return value[0];
  }).join(".");
}

function nvrtcVersion(nvrtc: Nvrtc): string {
  const major = new Int32Array(1), minor = new Int32Array(1);
  checkNvrtc(nvrtc, nvrtc.nvrtcVersion(major, minor), "nvrtcVersion");
  return `${major[0]}.${minor[0]}`;
}

/** 13.5 for 13050. */
function dotted(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor(version % 1000 / 10)}`;
}
