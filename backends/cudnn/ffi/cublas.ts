/** cuBLAS's functions, `cublas_v2.h`: float32 matrix products on a stream. Matrices are column-major. */

import { status } from "./table.ts";

/** One entry a function. */
export const CUBLAS_FUNCTIONS = {
  cublasGetStatusString: {
    parameters: [
      "i32", // cublasStatus_t status
    ],
    result: "pointer", // const char*
  },
  cublasCreate_v2: status(
    "buffer", // cublasHandle_t* handle
  ),
  cublasDestroy_v2: status(
    "u64", // cublasHandle_t handle
  ),
  cublasGetProperty: status(
    "i32", // libraryPropertyType type
    "buffer", // int* value
  ),
  cublasSetStream_v2: status(
    "u64", // cublasHandle_t handle
    "u64", // cudaStream_t streamId
  ),
  cublasSetWorkspace_v2: status(
    "u64", // cublasHandle_t handle
    "u64", // void* workspace
    "usize", // size_t workspaceSizeInBytes
  ),
  cublasSetMathMode: status(
    "u64", // cublasHandle_t handle
    "i32", // cublasMath_t mode
  ),
  cublasSgemm_v2: status(
    "u64", // cublasHandle_t handle
    "i32", // cublasOperation_t transa
    "i32", // cublasOperation_t transb
    "i32", // int m
    "i32", // int n
    "i32", // int k
    "buffer", // const float* alpha
    "u64", // const float* A
    "i32", // int lda
    "u64", // const float* B
    "i32", // int ldb
    "buffer", // const float* beta
    "u64", // float* C
    "i32", // int ldc
  ),
  cublasSgemmStridedBatched: status(
    "u64", // cublasHandle_t handle
    "i32", // cublasOperation_t transa
    "i32", // cublasOperation_t transb
    "i32", // int m
    "i32", // int n
    "i32", // int k
    "buffer", // const float* alpha
    "u64", // const float* A
    "i32", // int lda
    "i64", // long long int strideA
    "u64", // const float* B
    "i32", // int ldb
    "i64", // long long int strideB
    "buffer", // const float* beta
    "u64", // float* C
    "i32", // int ldc
    "i64", // long long int strideC
    "i32", // int batchCount
  ),
} as const;

/** cuBLAS's functions, opened. */
export type Cublas = Deno.DynamicLibrary<typeof CUBLAS_FUNCTIONS>["symbols"];

/** Values of enums, by their names in C. */
export const CUBLAS_VALUES = {
  CUBLAS_STATUS_SUCCESS: 0,
  MAJOR_VERSION: 0,
  MINOR_VERSION: 1,
  PATCH_LEVEL: 2,
  CUBLAS_OP_N: 0,
  CUBLAS_OP_T: 1,
  CUBLAS_DEFAULT_MATH: 0,
  CUBLAS_TF32_TENSOR_OP_MATH: 3,
} as const;
