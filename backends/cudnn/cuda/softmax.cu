// The softmax of rows: a row a block of 32 threads; behind block_sum.cuh.
extern "C" __global__ void __launch_bounds__(32) softmax(const float* x, float* y, int width) {
  const float* values = x + (long long)blockIdx.x * width;
  float* results = y + (long long)blockIdx.x * width;
  float largest = values[0];
  for (int i = threadIdx.x; i < width; i += 32) largest = fmaxf(largest, values[i]);
  for (int apart = 16; apart > 0; apart /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, apart));
  }
  float sum = 0;
  for (int i = threadIdx.x; i < width; i += 32) sum += expf(values[i] - largest);
  sum = blockSum(sum);
  for (int i = threadIdx.x; i < width; i += 32) results[i] = expf(values[i] - largest) / sum;
}
