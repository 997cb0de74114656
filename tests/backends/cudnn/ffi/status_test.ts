/** Tests of statuses and their words, on functions that stand in for the libraries'. */

import { BackendError } from "../../../../backends/contract.ts";
import type { Cublas } from "../../../../backends/cudnn/ffi/cublas.ts";
import type { Cuda } from "../../../../backends/cudnn/ffi/cuda.ts";
import type { Cudnn } from "../../../../backends/cudnn/ffi/cudnn.ts";
import { addressOf, cString } from "../../../../backends/cudnn/ffi/memory.ts";
import type { Nvrtc } from "../../../../backends/cudnn/ffi/nvrtc.ts";
import {
  checkCublas,
  checkCuda,
  checkCudnn,
  checkNvrtc,
  DriverError,
} from "../../../../backends/cudnn/ffi/status.ts";
import { assert, assertEquals } from "../../../assert.ts";
import { permitted } from "../../../permitted.ts";

const TEXTS = ["CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected", "STATUS_NAME"]
  .map(cString);

const named = (text: number) => (_status: number, out: BigUint64Array) => {
  out[0] = addressOf(TEXTS[text]);
  return 0;
};
const pointer = () => Deno.UnsafePointer.of(TEXTS[2]);

const cuda = { cuGetErrorName: named(0), cuGetErrorString: named(1) } as unknown as Cuda;
const wordless = { cuGetErrorName: () => 1, cuGetErrorString: () => 1 } as unknown as Cuda;
const cudnn = (last: string) =>
  ({
    cudnnGetErrorString: pointer,
    cudnnGetLastErrorString: (out: Uint8Array, size: bigint) => {
      assertEquals(BigInt(out.length), size);
      out.set(cString(last));
    },
  }) as unknown as Cudnn;
const cublas = { cublasGetStatusString: pointer } as unknown as Cublas;
const nvrtc = { nvrtcGetErrorString: pointer } as unknown as Nvrtc;

function errorOf(check: () => void): DriverError {
  try {
    check();
  } catch (error) {
    assert(error instanceof DriverError, String(error));
    return error;
  }
  throw new Error("the check passed");
}

Deno.test({
  name: "checks throw an error with the call, the status and the library's words",
  ignore: !permitted({ ffi: true }),
  fn: () => {
    const error = errorOf(() => checkCuda(cuda, 100, "cuInit"));
    assert(error instanceof BackendError);
    const { backend, call, status, name } = error;
    assertEquals({ backend, call, status, name }, {
      backend: "cudnn",
      call: "cuInit",
      status: 100,
      name: "DriverError",
    });
    const messages = [
      error,
      errorOf(() => checkCuda(wordless, 7, "cuInit")),
      errorOf(() => checkCudnn(cudnn("dims"), 2000, "cudnnBackendFinalize")),
      errorOf(() => checkCudnn(cudnn(""), 2000, "cudnnBackendFinalize")),
      errorOf(() => checkCublas(cublas, 1, "cublasCreate_v2")),
      errorOf(() => checkNvrtc(nvrtc, 6, "nvrtcCompileProgram")),
    ].map(({ message }) => message.replace(/^Cannot run (\w+) on cudnn: /, "$1: "));
    assertEquals(messages, [
      "cuInit: CUDA_ERROR_NO_DEVICE, no CUDA-capable device is detected (status 100)",
      "cuInit: unknown error (status 7)",
      "cudnnBackendFinalize: STATUS_NAME, dims (status 2000)",
      "cudnnBackendFinalize: STATUS_NAME (status 2000)",
      "cublasCreate_v2: STATUS_NAME (status 1)",
      "nvrtcCompileProgram: STATUS_NAME (status 6)",
    ]);
  },
});

Deno.test("checks pass a success, and ask the library nothing", () => {
  const none = {} as never;
  for (const check of [checkCuda, checkCudnn, checkCublas, checkNvrtc]) check(none, 0, "call");
});
