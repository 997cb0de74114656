// Copies rows of 32-bit values between tensors of which they are parts: a value a thread, `width`
// values a row; a row's first value is at row * stride + first in either tensor.
extern "C" __global__ void copy_rows(
    const unsigned int* from, unsigned int* to, int elements, int width, int from_stride,
    int from_first, int to_stride, int to_first) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= elements) return;
  const int row = at / width, column = at % width;
  to[row * to_stride + to_first + column] = from[row * from_stride + from_first + column];
}
