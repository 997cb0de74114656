/**
 * `cudnnConvolutionForward` and the two gradients: checks, layouts, and work for the stream.
 *
 * As on a card of compute capability 8 and above, what is read is rounded to TF32 unless the descriptor
 * asks for `CUDNN_FMA_MATH`; sums are float32.
 */

#include <cmath>
#include <cstdint>
#include <cstring>

#include "../driver/library.h"
#include "algorithms.h"
#include "arithmetic.h"

namespace emulator {

namespace {

/** Calls `visit(dense index in n, h, w, c; offset in memory)`. */
template <class Visit>
void forEachElement(const cudnnTensorStruct& tensor, Visit visit) {
  const int* sizes = tensor.sizes;
  size_t index = 0;
  for (int n = 0; n < sizes[0]; n++) {
    for (int h = 0; h < sizes[2]; h++) {
      for (int w = 0; w < sizes[3]; w++) {
        for (int c = 0; c < sizes[1]; c++) {
          const int position[4] = {n, c, h, w};
          size_t offset = 0;
          for (int axis = 0; axis < 4; axis++) offset += size_t(position[axis]) * tensor.strides[axis];
          visit(index++, offset);
        }
      }
    }
  }
}

size_t elementCount(const cudnnTensorStruct& tensor) {
  size_t count = 1;
  for (const int size : tensor.sizes) count *= size;
  return count;
}

/** Bytes from the first to behind the last element. */
size_t bytesOf(const cudnnTensorStruct& tensor) {
  size_t last = 0;
  for (int axis = 0; axis < 4; axis++) last += size_t(tensor.sizes[axis] - 1) * tensor.strides[axis];
  return (last + 1) * sizeof(float);
}

/** The nearest number with 10 bits behind its leading one. */
float toTf32(float value) {
  if (!std::isfinite(value)) return value;
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x1000) & ~0x1fffu;
  memcpy(&value, &bits, sizeof bits);
  return value;
}

Values read(const cudnnTensorStruct& tensor, const void* memory, cudnnMathType_t mathType) {
  Values values(elementCount(tensor));
  forEachElement(tensor, [&](size_t index, size_t offset) {
    const float value = static_cast<const float*>(memory)[offset];
    values[index] = mathType == CUDNN_FMA_MATH ? value : toTf32(value);
  });
  return values;
}

/** `memory = alpha values + beta memory`; what `beta` 0 overwrites is not read. */
void write(const cudnnTensorStruct& tensor, void* memory, const Values& values, float alpha, float beta) {
  forEachElement(tensor, [&](size_t index, size_t offset) {
    float& element = static_cast<float*>(memory)[offset];
    element = alpha * values[index] + (beta == 0 ? 0 : beta * element);
  });
}

struct Operand {
  cudnnTensorStruct tensor;
  const void* memory;
};

struct Workspace {
  int algorithm;
  void* memory;
  size_t bytes;
};

cudnnStatus_t checkMemory(const Operand& operand) {
  PDARTS_REQUIRE(operand.memory != nullptr);
  PDARTS_REQUIRE(emulatorAllocated(operand.memory, bytesOf(operand.tensor)));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t checkWorkspace(const Workspace& workspace, const cudnnFilterStruct& filter) {
  const size_t wanted = workspaceBytes(workspace.algorithm, filter);
  PDARTS_REQUIRE(workspace.bytes >= wanted);
  if (wanted > 0) PDARTS_REQUIRE(emulatorAllocated(workspace.memory, wanted));
  return CUDNN_STATUS_SUCCESS;
}

using Compute = Values (*)(const ConvolutionSizes&, const Values&, const Values&);

/** Checks the operands, and puts `result = alpha compute(first, second) + beta result` on the stream. */
cudnnStatus_t run(cudnnHandle_t handle, const ConvolutionSizes& sizes,
                  const cudnnConvolutionStruct& convolution, int algorithm, Compute compute, const Operand& first,
                  const Operand& second, const Operand& result, const void* alpha, const void* beta) {
  PDARTS_REQUIRE(handle != nullptr && alpha != nullptr && beta != nullptr);
  for (const Operand& operand : {first, second, result}) {
    const cudnnStatus_t status = checkMemory(operand);
    if (status != CUDNN_STATUS_SUCCESS) return status;
  }
  const float scale = *static_cast<const float*>(alpha), kept = *static_cast<const float*>(beta);
  const cudnnMathType_t mathType = convolution.mathType;
  const int status = enqueueWork(handle->stream, [=] {
    emulatorSpend(algorithm);
    const Values values = compute(sizes, read(first.tensor, first.memory, mathType),
                                  read(second.tensor, second.memory, mathType));
    write(result.tensor, const_cast<void*>(result.memory), values, scale, kept);
  });
  if (status == 0) return CUDNN_STATUS_SUCCESS;
  return failed(CUDNN_STATUS_EXECUTION_FAILED, "CUDA driver error " + std::to_string(status));
}

cudnnStatus_t checkCall(const cudnnConvolutionStruct& convolution, const cudnnTensorStruct& x,
                        const cudnnFilterStruct& filter, const cudnnTensorStruct& y, const Workspace& workspace) {
  const cudnnStatus_t status = checkShapes(convolution, x, filter, y);
  return status == CUDNN_STATUS_SUCCESS ? checkWorkspace(workspace, filter) : status;
}

}  // namespace

}  // namespace emulator

using namespace emulator;

extern "C" {

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t x,
                                      const void* xMemory, const cudnnFilterDescriptor_t filter,
                                      const void* filterMemory, const cudnnConvolutionDescriptor_t convolution,
                                      cudnnConvolutionFwdAlgo_t algorithm, void* workspace, size_t workspaceSize,
                                      const void* beta, const cudnnTensorDescriptor_t y, void* yMemory) {
  const cudnnStatus_t status = checkCall(*convolution, *x, *filter, *y, {algorithm, workspace, workspaceSize});
  if (status != CUDNN_STATUS_SUCCESS) return status;
  return run(handle, sizesOf(*convolution, *x, *filter, *y), *convolution, algorithm, forward, {*x, xMemory},
             {tensorOf(*filter), filterMemory}, {*y, yMemory}, alpha, beta);
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha,
                                           const cudnnFilterDescriptor_t filter, const void* filterMemory,
                                           const cudnnTensorDescriptor_t dy, const void* dyMemory,
                                           const cudnnConvolutionDescriptor_t convolution,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace,
                                           size_t workspaceSize, const void* beta,
                                           const cudnnTensorDescriptor_t dx, void* dxMemory) {
  const cudnnStatus_t status = checkCall(*convolution, *dx, *filter, *dy, {algorithm, workspace, workspaceSize});
  if (status != CUDNN_STATUS_SUCCESS) return status;
  return run(handle, sizesOf(*convolution, *dx, *filter, *dy), *convolution, algorithm, inputGradient,
             {tensorOf(*filter), filterMemory}, {*dy, dyMemory}, {*dx, dxMemory}, alpha, beta);
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha,
                                             const cudnnTensorDescriptor_t x, const void* xMemory,
                                             const cudnnTensorDescriptor_t dy, const void* dyMemory,
                                             const cudnnConvolutionDescriptor_t convolution,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace,
                                             size_t workspaceSize, const void* beta,
                                             const cudnnFilterDescriptor_t filter, void* filterMemory) {
  const cudnnStatus_t status = checkCall(*convolution, *x, *filter, *dy, {algorithm, workspace, workspaceSize});
  if (status != CUDNN_STATUS_SUCCESS) return status;
  return run(handle, sizesOf(*convolution, *x, *filter, *dy), *convolution, algorithm, filterGradient,
             {*x, xMemory}, {*dy, dyMemory}, {tensorOf(*filter), filterMemory}, alpha, beta);
}

}
