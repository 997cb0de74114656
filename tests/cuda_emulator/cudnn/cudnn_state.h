/** What the files of the emulated cuDNN share: what lies behind its handles, and its last error. */
#pragma once

#include <cudnn.h>

#include <string>

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

/** Float32 only; sizes and strides in the order n, c, h, w. */
struct cudnnTensorStruct {
  int sizes[4];
  int strides[4];
};

/** As a tensor of k, c, h, w; dense. */
struct cudnnFilterStruct {
  int sizes[4];
  cudnnTensorFormat_t format;
};

/** Each pair: height, width. */
struct cudnnConvolutionStruct {
  int padding[2];
  int stride[2];
  int dilation[2];
  int groups = 1;
  cudnnConvolutionMode_t mode;
  cudnnMathType_t mathType = CUDNN_DEFAULT_MATH;
};

namespace emulator {

/** Keeps the text for `cudnnGetLastErrorString`; returns the status. */
cudnnStatus_t failed(cudnnStatus_t status, const std::string& text);

/** `CUDNN_STATUS_BAD_PARAM` with the condition's text, unless it holds. */
cudnnStatus_t require(bool condition, const char* text);

/** The descriptor of a filter as that of a tensor. */
cudnnTensorStruct tensorOf(const cudnnFilterStruct& filter);

/** Whether the three descriptors fit together; else which size does not. */
cudnnStatus_t checkShapes(const cudnnConvolutionStruct& convolution, const cudnnTensorStruct& x,
                          const cudnnFilterStruct& filter, const cudnnTensorStruct& y);

/** Height (0) or width (1) of the result. */
int outputSize(const cudnnConvolutionStruct& convolution, const cudnnTensorStruct& x,
               const cudnnFilterStruct& filter, int axis);

}  // namespace emulator

#define PDARTS_REQUIRE(condition)                                                              \
  if (const cudnnStatus_t status = emulator::require(condition, #condition); status != CUDNN_STATUS_SUCCESS) \
  return status
