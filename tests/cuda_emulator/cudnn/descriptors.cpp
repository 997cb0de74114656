/** Descriptors of tensors, filters and convolutions, and the sizes that follow from them. */

#include "cudnn_state.h"

namespace emulator {

namespace {

/** Strides of a dense tensor in one of the two layouts. */
cudnnTensorStruct dense(cudnnTensorFormat_t format, int n, int c, int h, int w) {
  if (format == CUDNN_TENSOR_NHWC) return {{n, c, h, w}, {c * h * w, 1, w * c, c}};
  return {{n, c, h, w}, {c * h * w, h * w, w, 1}};
}

bool isLayout(cudnnTensorFormat_t format) {
  return format == CUDNN_TENSOR_NHWC || format == CUDNN_TENSOR_NCHW;
}

cudnnStatus_t onlyFloat(cudnnDataType_t type) {
  if (type == CUDNN_DATA_FLOAT) return CUDNN_STATUS_SUCCESS;
  return failed(CUDNN_STATUS_NOT_SUPPORTED, "the emulated cuDNN has float32 only");
}

}  // namespace

cudnnTensorStruct tensorOf(const cudnnFilterStruct& filter) {
  const int* sizes = filter.sizes;
  return dense(filter.format, sizes[0], sizes[1], sizes[2], sizes[3]);
}

int outputSize(const cudnnConvolutionStruct& convolution, const cudnnTensorStruct& x,
               const cudnnFilterStruct& filter, int axis) {
  const int reach = convolution.dilation[axis] * (filter.sizes[2 + axis] - 1) + 1;
  const int room = x.sizes[2 + axis] + 2 * convolution.padding[axis] - reach;
  return room < 0 ? 0 : room / convolution.stride[axis] + 1;
}

cudnnStatus_t checkShapes(const cudnnConvolutionStruct& convolution, const cudnnTensorStruct& x,
                          const cudnnFilterStruct& filter, const cudnnTensorStruct& y) {
  PDARTS_REQUIRE(filter.sizes[1] * convolution.groups == x.sizes[1]);
  PDARTS_REQUIRE(filter.sizes[0] % convolution.groups == 0);
  PDARTS_REQUIRE(y.sizes[0] == x.sizes[0]);
  PDARTS_REQUIRE(y.sizes[1] == filter.sizes[0]);
  PDARTS_REQUIRE(y.sizes[2] == outputSize(convolution, x, filter, 0));
  PDARTS_REQUIRE(y.sizes[3] == outputSize(convolution, x, filter, 1));
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace emulator

extern "C" {

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* descriptor) {
  *descriptor = new cudnnTensorStruct{};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t descriptor) {
  delete descriptor;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t descriptor, cudnnTensorFormat_t format,
                                         cudnnDataType_t dataType, int n, int c, int h, int w) {
  PDARTS_REQUIRE(descriptor != nullptr);
  PDARTS_REQUIRE(emulator::isLayout(format));
  PDARTS_REQUIRE(n > 0 && c > 0 && h > 0 && w > 0);
  *descriptor = emulator::dense(format, n, c, h, w);
  return emulator::onlyFloat(dataType);
}

cudnnStatus_t cudnnSetTensor4dDescriptorEx(cudnnTensorDescriptor_t descriptor, cudnnDataType_t dataType, int n,
                                           int c, int h, int w, int nStride, int cStride, int hStride,
                                           int wStride) {
  PDARTS_REQUIRE(descriptor != nullptr);
  PDARTS_REQUIRE(n > 0 && c > 0 && h > 0 && w > 0);
  *descriptor = {{n, c, h, w}, {nStride, cStride, hStride, wStride}};
  return emulator::onlyFloat(dataType);
}

cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* descriptor) {
  *descriptor = new cudnnFilterStruct{};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t descriptor) {
  delete descriptor;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t descriptor, cudnnDataType_t dataType,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
  PDARTS_REQUIRE(descriptor != nullptr);
  PDARTS_REQUIRE(emulator::isLayout(format));
  PDARTS_REQUIRE(k > 0 && c > 0 && h > 0 && w > 0);
  *descriptor = {{k, c, h, w}, format};
  return emulator::onlyFloat(dataType);
}

cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* descriptor) {
  *descriptor = new cudnnConvolutionStruct{};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t descriptor) {
  delete descriptor;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t descriptor, int padH, int padW, int u,
                                              int v, int dilationH, int dilationW, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t computeType) {
  PDARTS_REQUIRE(descriptor != nullptr);
  PDARTS_REQUIRE(padH >= 0 && padW >= 0);
  PDARTS_REQUIRE(u > 0 && v > 0);
  PDARTS_REQUIRE(dilationH > 0 && dilationW > 0);
  descriptor->padding[0] = padH;
  descriptor->padding[1] = padW;
  descriptor->stride[0] = u;
  descriptor->stride[1] = v;
  descriptor->dilation[0] = dilationH;
  descriptor->dilation[1] = dilationW;
  descriptor->mode = mode;
  return emulator::onlyFloat(computeType);
}

cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t descriptor, int groups) {
  PDARTS_REQUIRE(descriptor != nullptr && groups > 0);
  descriptor->groups = groups;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t descriptor, cudnnMathType_t mathType) {
  PDARTS_REQUIRE(descriptor != nullptr);
  PDARTS_REQUIRE(mathType >= CUDNN_DEFAULT_MATH && mathType <= CUDNN_FMA_MATH);
  descriptor->mathType = mathType;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolution2dForwardOutputDim(const cudnnConvolutionDescriptor_t convolution,
                                                    const cudnnTensorDescriptor_t x,
                                                    const cudnnFilterDescriptor_t filter, int* n, int* c, int* h,
                                                    int* w) {
  PDARTS_REQUIRE(filter->sizes[1] * convolution->groups == x->sizes[1]);
  *n = x->sizes[0];
  *c = filter->sizes[0];
  *h = emulator::outputSize(*convolution, *x, *filter, 0);
  *w = emulator::outputSize(*convolution, *x, *filter, 1);
  PDARTS_REQUIRE(*h > 0 && *w > 0);
  return CUDNN_STATUS_SUCCESS;
}

}
