/**
 * Convolutions as one product of a pixel's channels with a tap's filter after the other.
 *
 * All three visit the same pairs of an input and an output pixel; their innermost loops run over neighbouring
 * floats, so that the compiler makes vectors of them.
 */

#include "arithmetic.h"

namespace emulator {

ConvolutionSizes sizesOf(const cudnnConvolutionStruct& convolution, const cudnnTensorStruct& x,
                         const cudnnFilterStruct& filter, const cudnnTensorStruct& y) {
  ConvolutionSizes sizes{};
  sizes.batch = x.sizes[0];
  sizes.groups = convolution.groups;
  for (int axis = 0; axis < 2; axis++) {
    sizes.input[axis] = x.sizes[2 + axis];
    sizes.output[axis] = y.sizes[2 + axis];
    sizes.kernel[axis] = filter.sizes[2 + axis];
    sizes.padding[axis] = convolution.padding[axis];
    sizes.stride[axis] = convolution.stride[axis];
    sizes.dilation[axis] = convolution.dilation[axis];
  }
  sizes.inputChannels = filter.sizes[1];
  sizes.outputChannels = filter.sizes[0] / convolution.groups;
  sizes.reversed = convolution.mode == CUDNN_CONVOLUTION;
  return sizes;
}

namespace {

size_t inputCount(const ConvolutionSizes& sizes) {
  return size_t(sizes.batch) * sizes.input[0] * sizes.input[1] * sizes.groups * sizes.inputChannels;
}
size_t outputCount(const ConvolutionSizes& sizes) {
  return size_t(sizes.batch) * sizes.output[0] * sizes.output[1] * sizes.groups * sizes.outputChannels;
}
int tapCount(const ConvolutionSizes& sizes) { return sizes.kernel[0] * sizes.kernel[1]; }
size_t filterCount(const ConvolutionSizes& sizes) {
  return size_t(sizes.groups) * sizes.outputChannels * tapCount(sizes) * sizes.inputChannels;
}

/** Calls `visit(output pixel, input pixel, tap)` for all taps inside the image, output pixels in order. */
template <class Visit>
void forEachTap(const ConvolutionSizes& sizes, Visit visit) {
  for (int n = 0; n < sizes.batch; n++) {
    for (int i = 0; i < sizes.output[0]; i++) {
      for (int j = 0; j < sizes.output[1]; j++) {
        const size_t output = (size_t(n) * sizes.output[0] + i) * sizes.output[1] + j;
        for (int a = 0; a < sizes.kernel[0]; a++) {
          const int row = i * sizes.stride[0] + a * sizes.dilation[0] - sizes.padding[0];
          if (row < 0 || row >= sizes.input[0]) continue;
          for (int b = 0; b < sizes.kernel[1]; b++) {
            const int column = j * sizes.stride[1] + b * sizes.dilation[1] - sizes.padding[1];
            if (column < 0 || column >= sizes.input[1]) continue;
            const size_t input = (size_t(n) * sizes.input[0] + row) * sizes.input[1] + column;
            const int tap = a * sizes.kernel[1] + b;
            visit(output, input, sizes.reversed ? tapCount(sizes) - 1 - tap : tap);
          }
        }
      }
    }
  }
}

/** The filter with output channels innermost: group, tap, input channel, output channel. */
Values transposed(const ConvolutionSizes& sizes, const Values& filter) {
  const int taps = tapCount(sizes), in = sizes.inputChannels, out = sizes.outputChannels;
  Values result(filter.size());
  for (int group = 0; group < sizes.groups; group++) {
    for (int k = 0; k < out; k++) {
      for (int tap = 0; tap < taps; tap++) {
        for (int c = 0; c < in; c++) {
          result[((size_t(group) * taps + tap) * in + c) * out + k] =
              filter[((size_t(group) * out + k) * taps + tap) * in + c];
        }
      }
    }
  }
  return result;
}

/** `sum[i] += factor * values[i]`. */
inline void addScaled(float* __restrict sum, const float* __restrict values, float factor, int count) {
  for (int index = 0; index < count; index++) sum[index] += factor * values[index];
}

}  // namespace

Values forward(const ConvolutionSizes& sizes, const Values& x, const Values& filter) {
  const int taps = tapCount(sizes), in = sizes.inputChannels, out = sizes.outputChannels;
  const Values weights = transposed(sizes, filter);
  Values y(outputCount(sizes));
  forEachTap(sizes, [&](size_t output, size_t input, int tap) {
    for (int group = 0; group < sizes.groups; group++) {
      float* sums = &y[(output * sizes.groups + group) * out];
      const float* pixel = &x[(input * sizes.groups + group) * in];
      const float* rows = &weights[(size_t(group) * taps + tap) * in * out];
      for (int c = 0; c < in; c++) addScaled(sums, rows + size_t(c) * out, pixel[c], out);
    }
  });
  return y;
}

Values inputGradient(const ConvolutionSizes& sizes, const Values& filter, const Values& dy) {
  const int taps = tapCount(sizes), in = sizes.inputChannels, out = sizes.outputChannels;
  Values dx(inputCount(sizes));
  forEachTap(sizes, [&](size_t output, size_t input, int tap) {
    for (int group = 0; group < sizes.groups; group++) {
      float* sums = &dx[(input * sizes.groups + group) * in];
      const float* pixel = &dy[(output * sizes.groups + group) * out];
      for (int k = 0; k < out; k++) {
        addScaled(sums, &filter[((size_t(group) * out + k) * taps + tap) * in], pixel[k], in);
      }
    }
  });
  return dx;
}

Values filterGradient(const ConvolutionSizes& sizes, const Values& x, const Values& dy) {
  const int taps = tapCount(sizes), in = sizes.inputChannels, out = sizes.outputChannels;
  Values gradient(filterCount(sizes));
  forEachTap(sizes, [&](size_t output, size_t input, int tap) {
    for (int group = 0; group < sizes.groups; group++) {
      const float* pixel = &x[(input * sizes.groups + group) * in];
      const float* factors = &dy[(output * sizes.groups + group) * out];
      for (int k = 0; k < out; k++) {
        addScaled(&gradient[((size_t(group) * out + k) * taps + tap) * in], pixel, factors[k], in);
      }
    }
  });
  return gradient;
}

}  // namespace emulator
