/**
 * The choice of an algorithm: two for each convolution, as the real library has more.
 *
 * The first is no use to who wants the same bits each time where the real one is not (the gradients);
 * the second wants a workspace.
 */

#include "algorithms.h"

#include <cstdint>

namespace emulator {

size_t workspaceBytes(int algorithm, const cudnnFilterStruct& filter) {
  if (algorithm == 0) return 0;
  size_t elements = 1;
  for (const int size : filter.sizes) elements *= size;
  return elements * sizeof(float);
}

namespace {

constexpr int algorithmCount = 2;

/** Fills in the candidates, fastest first. `Performance` is one of cuDNN's three alike structs. */
template <class Performance, class Algorithm>
cudnnStatus_t candidates(const cudnnConvolutionStruct& convolution, const cudnnTensorStruct& x,
                         const cudnnFilterStruct& filter, const cudnnTensorStruct& y, bool firstIsDeterministic,
                         int requested, int* returned, Performance* results) {
  PDARTS_REQUIRE(requested > 0);
  const cudnnStatus_t status = checkShapes(convolution, x, filter, y);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  *returned = requested < algorithmCount ? requested : algorithmCount;
  for (int algorithm = 0; algorithm < *returned; algorithm++) {
    const bool deterministic = algorithm > 0 || firstIsDeterministic;
    results[algorithm] = {};
    results[algorithm].algo = static_cast<Algorithm>(algorithm);
    results[algorithm].status = CUDNN_STATUS_SUCCESS;
    results[algorithm].time = 0.01f * static_cast<float>(algorithm + 1);
    results[algorithm].memory = workspaceBytes(algorithm, filter);
    results[algorithm].determinism = deterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
    results[algorithm].mathType = convolution.mathType;
  }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t workspaceOf(int algorithm, const cudnnFilterStruct& filter, size_t* bytes) {
  if (algorithm < 0 || algorithm >= algorithmCount) {
    return failed(CUDNN_STATUS_NOT_SUPPORTED, "this algorithm is not emulated");
  }
  *bytes = workspaceBytes(algorithm, filter);
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

}  // namespace emulator

using namespace emulator;
using Handle = cudnnHandle_t;
using Tensor = cudnnTensorDescriptor_t;
using Filter = cudnnFilterDescriptor_t;
using Convolution = cudnnConvolutionDescriptor_t;

extern "C" {

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(Handle, const Tensor x, const Filter filter,
                                                     const Convolution convolution, const Tensor y,
                                                     const int requested, int* returned,
                                                     cudnnConvolutionFwdAlgoPerf_t* results) {
  return candidates<cudnnConvolutionFwdAlgoPerf_t, cudnnConvolutionFwdAlgo_t>(
      *convolution, *x, *filter, *y, true, requested, returned, results);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(Handle, const Filter filter, const Tensor dy,
                                                          const Convolution convolution, const Tensor dx,
                                                          const int requested, int* returned,
                                                          cudnnConvolutionBwdDataAlgoPerf_t* results) {
  return candidates<cudnnConvolutionBwdDataAlgoPerf_t, cudnnConvolutionBwdDataAlgo_t>(
      *convolution, *dx, *filter, *dy, false, requested, returned, results);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(Handle, const Tensor x, const Tensor dy,
                                                            const Convolution convolution, const Filter filter,
                                                            const int requested, int* returned,
                                                            cudnnConvolutionBwdFilterAlgoPerf_t* results) {
  return candidates<cudnnConvolutionBwdFilterAlgoPerf_t, cudnnConvolutionBwdFilterAlgo_t>(
      *convolution, *x, *filter, *dy, false, requested, returned, results);
}

cudnnStatus_t cudnnFindConvolutionForwardAlgorithmEx(Handle handle, const Tensor x, const void*,
                                                     const Filter filter, const void*,
                                                     const Convolution convolution, const Tensor y, void*,
                                                     const int requested, int* returned,
                                                     cudnnConvolutionFwdAlgoPerf_t* results, void*, size_t) {
  return cudnnGetConvolutionForwardAlgorithm_v7(handle, x, filter, convolution, y, requested, returned, results);
}

cudnnStatus_t cudnnFindConvolutionBackwardDataAlgorithmEx(Handle handle, const Filter filter, const void*,
                                                          const Tensor dy, const void*,
                                                          const Convolution convolution, const Tensor dx, void*,
                                                          const int requested, int* returned,
                                                          cudnnConvolutionBwdDataAlgoPerf_t* results, void*,
                                                          size_t) {
  return cudnnGetConvolutionBackwardDataAlgorithm_v7(handle, filter, dy, convolution, dx, requested, returned,
                                                     results);
}

cudnnStatus_t cudnnFindConvolutionBackwardFilterAlgorithmEx(Handle handle, const Tensor x, const void*,
                                                            const Tensor dy, const void*,
                                                            const Convolution convolution, const Filter filter,
                                                            void*, const int requested, int* returned,
                                                            cudnnConvolutionBwdFilterAlgoPerf_t* results, void*,
                                                            size_t) {
  return cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle, x, dy, convolution, filter, requested, returned,
                                                       results);
}

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(Handle, const Tensor, const Filter filter, const Convolution,
                                                      const Tensor, cudnnConvolutionFwdAlgo_t algorithm,
                                                      size_t* bytes) {
  return workspaceOf(algorithm, *filter, bytes);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(Handle, const Filter filter, const Tensor,
                                                           const Convolution, const Tensor,
                                                           cudnnConvolutionBwdDataAlgo_t algorithm,
                                                           size_t* bytes) {
  return workspaceOf(algorithm, *filter, bytes);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(Handle, const Tensor, const Tensor,
                                                             const Convolution, const Filter filter,
                                                             cudnnConvolutionBwdFilterAlgo_t algorithm,
                                                             size_t* bytes) {
  return workspaceOf(algorithm, *filter, bytes);
}

}
