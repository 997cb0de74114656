// Copies rows of 32-bit values between tensors of which they are parts: a value a thread, `width`
// values a row; a row's first value is at row * stride + first in either tensor.
extern "C" __global__ void copyRows(
    const unsigned int* from, unsigned int* to, int elements, int width, int fromStride,
    int fromFirst, int toStride, int toFirst) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= elements) return;
  const int row = at / width, column = at % width;
  to[row * toStride + toFirst + column] = from[row * fromStride + fromFirst + column];
}
