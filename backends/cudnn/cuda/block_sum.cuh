// Sums over a block of threads in an order that is always the same. Text in front of other modules.

/** The sum of a value over all threads, in every thread; blocks have a multiple of 32 threads. */
template <class Number>
__device__ Number blockSum(Number value) {
  __shared__ Number sums[32];
  for (int apart = 16; apart > 0; apart /= 2) {
    value += __shfl_xor_sync(0xffffffffu, value, apart);
  }
  // A second call must not write what others still read of the first.
  __syncthreads();
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = value;
  __syncthreads();
  Number total = 0;
  for (int warp = 0; warp < (int)blockDim.x / 32; warp++) total += sums[warp];
  return total;
}
