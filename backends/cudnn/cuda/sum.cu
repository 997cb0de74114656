// Sums over one axis, [A, R, B] to [A, B]: a result a block, whose threads take the terms in turn;
// behind block_sum.cuh. For small tensors, such as a bias' gradient: rows are not read coalesced.
extern "C" __global__ void __launch_bounds__(128) sumAxis(
    const float* x, float* y, int length, int inner) {
  const int outer = blockIdx.x / inner, column = blockIdx.x % inner;
  const float* first = x + (long long)outer * length * inner + column;
  float sum = 0;
  for (int i = threadIdx.x; i < length; i += 128) sum += first[(long long)i * inner];
  sum = blockSum(sum);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}
