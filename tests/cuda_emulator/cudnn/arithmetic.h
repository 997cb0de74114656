/** The three convolutions of a training step, on dense float32 arrays. */
#pragma once

#include <vector>

#include "cudnn_state.h"

namespace emulator {

/** Values in the order n, h, w, c; those of a filter k, h, w, c. */
using Values = std::vector<float>;

/** A convolution and the sizes of its operands; the pairs are height, width. */
struct ConvolutionSizes {
  int batch, groups;
  int input[2], output[2], kernel[2], padding[2], stride[2], dilation[2];
  /** Channels of a group. */
  int inputChannels, outputChannels;
  /** Whether the filter's taps are in reverse: a convolution proper, not a correlation. */
  bool reversed;
};

ConvolutionSizes sizesOf(const cudnnConvolutionStruct& convolution, const cudnnTensorStruct& x,
                         const cudnnFilterStruct& filter, const cudnnTensorStruct& y);

Values forward(const ConvolutionSizes& sizes, const Values& x, const Values& filter);
Values inputGradient(const ConvolutionSizes& sizes, const Values& filter, const Values& dy);
Values filterGradient(const ConvolutionSizes& sizes, const Values& x, const Values& dy);

}  // namespace emulator
