/**
 * Statuses checked at the call: each library's own words for what went wrong, in a `DriverError`.
 *
 * `checkCuda(cuda, cuda.cuStreamSynchronize(stream), "cuStreamSynchronize")`: the call stays a direct
 * one, which costs 4 ns where a wrapper that takes its arguments costs 60 and more.
 */

import { BackendError } from "../../contract.ts";
import { type Cublas, CUBLAS_VALUES } from "./cublas.ts";
import { type Cuda, CUDA_VALUES } from "./cuda.ts";
import { type Cudnn, CUDNN_VALUES } from "./cudnn.ts";
import { cText, textAt } from "./memory.ts";
import { type Nvrtc, NVRTC_VALUES } from "./nvrtc.ts";

/** A call of one of NVIDIA's libraries that failed. */
export class DriverError extends BackendError {
  /** Shown before the message. */
  override name = "DriverError";
  /** The function's name in C. */
  readonly call: string;
  /** What it returned. */
  readonly status: number;

  /** An error of one sentence; `reason` is in the library's words. */
  constructor(call: string, status: number, reason: string) {
    super("cudnn", `Cannot run ${call} on cudnn: ${reason} (status ${status})`);
    this.call = call;
    this.status = status;
  }
}

/**
 * Passes a success of the driver.
 *
 * @param call The function's name in C.
 * @throws {DriverError} Where the status says that the call failed.
 */
export function checkCuda(cuda: Cuda, status: number, call: string): void {
  if (status !== CUDA_VALUES.CUDA_SUCCESS) {
    throw new DriverError(call, status, cudaReason(cuda, status));
  }
}

/** The name of a driver's status and what it means, such as `CUDA_ERROR_NO_DEVICE, no CUDA-...`. */
function cudaReason(cuda: Cuda, status: number): string {
  const text = new BigUint64Array(1);
  const words = [cuda.cuGetErrorName, cuda.cuGetErrorString].map((get) =>
    get(status, text) === CUDA_VALUES.CUDA_SUCCESS ? textAt(text[0]) : "unknown error"
  );
  return [...new Set(words)].join(", ");
}

/**
 * Passes a success of cuDNN.
 *
 * @throws {DriverError} Where the status says that the call failed.
 */
export function checkCudnn(cudnn: Cudnn, status: number, call: string): void {
  if (status === CUDNN_VALUES.CUDNN_STATUS_SUCCESS) return;
  const last = new Uint8Array(2048);
  cudnn.cudnnGetLastErrorString(last, BigInt(last.length));
  const name = pointerText(cudnn.cudnnGetErrorString(status)), detail = cText(last);
  throw new DriverError(call, status, detail === "" ? name : `${name}, ${detail}`);
}

/**
 * Passes a success of cuBLAS.
 *
 * @throws {DriverError} Where the status says that the call failed.
 */
export function checkCublas(cublas: Cublas, status: number, call: string): void {
  if (status === CUBLAS_VALUES.CUBLAS_STATUS_SUCCESS) return;
  throw new DriverError(call, status, pointerText(cublas.cublasGetStatusString(status)));
}

/**
 * Passes a success of NVRTC.
 *
 * @throws {DriverError} Where the status says that the call failed.
 */
export function checkNvrtc(nvrtc: Nvrtc, status: number, call: string): void {
  if (status === NVRTC_VALUES.NVRTC_SUCCESS) return;
  throw new DriverError(call, status, pointerText(nvrtc.nvrtcGetErrorString(status)));
}

function pointerText(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}
