// The next running mean and variance of batch norms, [2, C] each: a batch norm a block.
// `addresses` has those of all running ones, then all moments, then all results.
extern "C" __global__ void runningStatistics(
    const unsigned long long* addresses, const int* channels, const float* unbiased, int count,
    float momentum) {
  const int norm = blockIdx.x;
  const float* running = (const float*)addresses[norm];
  const float* moments = (const float*)addresses[count + norm];
  float* next = (float*)addresses[2 * count + norm];
  for (int i = threadIdx.x; i < 2 * channels[norm]; i += blockDim.x) {
    const float value = moments[i] * (i < channels[norm] ? 1.0f : unbiased[norm]);
    next[i] = (1.0f - momentum) * running[i] + momentum * value;
  }
}
