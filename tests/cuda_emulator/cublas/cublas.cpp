/** cuBLAS's float32 matrix products, declared by the real cublas_v2.h. Matrices are column-major. */

#include <cublas_v2.h>

#include <vector>

#include "../driver/library.h"

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasMath_t mathMode = CUBLAS_DEFAULT_MATH;
};

namespace {

struct Matrix {
  const float* values;
  int rowStride, columnStride;
};

/** An operand as the product sees it. */
Matrix operand(const float* values, int leading, cublasOperation_t operation) {
  return operation == CUBLAS_OP_N ? Matrix{values, 1, leading} : Matrix{values, leading, 1};
}

struct Product {
  int m, n, k;
  float alpha, beta;
  cublasOperation_t operationA, operationB;
  int leadingA, leadingB, leadingC;
};

/** `c = alpha a b + beta c`; what `beta` 0 overwrites is not read. */
void multiply(const Product& product, const float* aValues, const float* bValues, float* c) {
  const Matrix a = operand(aValues, product.leadingA, product.operationA);
  const Matrix b = operand(bValues, product.leadingB, product.operationB);
  // The columns of a, one behind the other, so that the sums of a column of c are vectors.
  std::vector<float> columns(size_t(product.m) * product.k), sums(product.m);
  for (int inner = 0; inner < product.k; inner++) {
    for (int row = 0; row < product.m; row++) {
      columns[size_t(inner) * product.m + row] =
          a.values[size_t(row) * a.rowStride + size_t(inner) * a.columnStride];
    }
  }
  for (int column = 0; column < product.n; column++) {
    sums.assign(product.m, 0);
    for (int inner = 0; inner < product.k; inner++) {
      const float factor = b.values[size_t(inner) * b.rowStride + size_t(column) * b.columnStride];
      const float* values = &columns[size_t(inner) * product.m];
      for (int row = 0; row < product.m; row++) sums[row] += factor * values[row];
    }
    float* result = c + size_t(column) * product.leadingC;
    for (int row = 0; row < product.m; row++) {
      result[row] = product.alpha * sums[row] + (product.beta == 0 ? 0 : product.beta * result[row]);
    }
  }
}

/** Bytes of a stored matrix. */
size_t bytesOf(int rows, int columns, int leading) {
  return rows == 0 || columns == 0 ? 0 : (size_t(columns - 1) * leading + rows) * sizeof(float);
}

bool isAllocated(const float* values, size_t bytes, long long stride, int batch) {
  const size_t all = bytes + size_t(stride) * (batch - 1) * sizeof(float);
  return bytes == 0 || emulatorAllocated(values, all);
}

cublasStatus_t run(cublasHandle_t handle, const Product& product, const float* a, long long strideA,
                   const float* b, long long strideB, float* c, long long strideC, int batch) {
  const auto [m, n, k, alpha, beta, operationA, operationB, leadingA, leadingB, leadingC] = product;
  const bool plainA = operationA == CUBLAS_OP_N, plainB = operationB == CUBLAS_OP_N;
  const int rowsA = plainA ? m : k, rowsB = plainB ? k : n;
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (m < 0 || n < 0 || k < 0 || batch < 0) return CUBLAS_STATUS_INVALID_VALUE;
  if (leadingA < rowsA || leadingB < rowsB || leadingC < m) return CUBLAS_STATUS_INVALID_VALUE;
  if (m == 0 || n == 0 || batch == 0) return CUBLAS_STATUS_SUCCESS;
  const bool inside = isAllocated(a, bytesOf(rowsA, plainA ? k : m, leadingA), strideA, batch) &&
                      isAllocated(b, bytesOf(rowsB, plainB ? n : k, leadingB), strideB, batch) &&
                      isAllocated(c, bytesOf(m, n, leadingC), strideC, batch);
  // A device would fault when it gets there.
  if (!inside) return CUBLAS_STATUS_EXECUTION_FAILED;
  const int status = emulator::enqueueWork(handle->stream, [=] {
    for (int index = 0; index < batch; index++) {
      multiply(product, a + index * strideA, b + index * strideB, c + index * strideC);
    }
  });
  return status == 0 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // namespace

extern "C" {

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value) {
  const int parts[] = {CUBLAS_VER_MAJOR, CUBLAS_VER_MINOR, CUBLAS_VER_PATCH};
  if (type < MAJOR_VERSION || type > PATCH_LEVEL || !value) return CUBLAS_STATUS_INVALID_VALUE;
  *value = parts[type];
  return CUBLAS_STATUS_SUCCESS;
}

const char* cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "the library was not initialized";
    case CUBLAS_STATUS_INVALID_VALUE: return "an unsupported value or parameter was passed to the function";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "the function failed to launch on the GPU";
    default: return "unknown status";
  }
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void*, size_t) {
  return handle ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  handle->mathMode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t operationA, cublasOperation_t operationB, int m,
                           int n, int k, const float* alpha, const float* a, int leadingA, const float* b,
                           int leadingB, const float* beta, float* c, int leadingC) {
  return cublasSgemmStridedBatched(handle, operationA, operationB, m, n, k, alpha, a, leadingA, 0, b, leadingB, 0,
                                   beta, c, leadingC, 0, 1);
}

cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t operationA,
                                         cublasOperation_t operationB, int m, int n, int k, const float* alpha,
                                         const float* a, int leadingA, long long strideA, const float* b,
                                         int leadingB, long long strideB, const float* beta, float* c,
                                         int leadingC, long long strideC, int batch) {
  if (!alpha || !beta) return CUBLAS_STATUS_INVALID_VALUE;
  const Product product{m, n, k, *alpha, *beta, operationA, operationB, leadingA, leadingB, leadingC};
  return run(handle, product, a, strideA, b, strideB, c, strideC, batch);
}

}
