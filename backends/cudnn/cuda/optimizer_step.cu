// A step of an optimiser over all parameters in three launches; behind block_sum.cuh.
//
// A network has a thousand parameters, most of them small: all tensors are cut into chunks, a chunk a
// block, and the addresses are in a table, list after list of `tensors` each. Sums of squares of the
// gradients' chunks give the norm, in the chunks' order. Reads and writes every value once, the floor,
// but for the gradients, which are read twice.

/** The part of a tensor that a block works on. */
struct Chunk {
  int tensor, first, size;
};

__device__ float* valuesOf(const unsigned long long* addresses, int index) {
  return (float*)addresses[index];
}

extern "C" __global__ void __launch_bounds__(256) sumSquares(
    const unsigned long long* addresses, const Chunk* chunks, float* sums, int tensors) {
  const Chunk chunk = chunks[blockIdx.x];
  const float* gradient = valuesOf(addresses, tensors + chunk.tensor) + chunk.first;
  float sum = 0;
  for (int i = threadIdx.x; i < chunk.size; i += 256) sum += gradient[i] * gradient[i];
  sum = blockSum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// The norm of all gradients, and the factor that clips it.
extern "C" __global__ void __launch_bounds__(256) globalNorm(
    const float* sums, float* norm, float* factor, int chunks, float clip) {
  double total = 0;
  for (int i = threadIdx.x; i < chunks; i += 256) total += sums[i];
  total = blockSum(total);
  if (threadIdx.x > 0) return;
  const float root = (float)sqrt(total);
  norm[0] = root;
  factor[0] = root + 1e-6f <= clip ? 1.0f : clip / (root + 1e-6f);
}

// Rates are in memory: those of a step that is captured and replayed change.
struct SgdRates {
  float decay, momentum, rate;
};

// The bias corrections are in `rate` and `root`.
struct AdamRates {
  float decay, beta1, gain1, beta2, gain2, rate, root, epsilon;
};

// Lists: parameters, gradients, momenta, new parameters, new momenta.
extern "C" __global__ void __launch_bounds__(256) sgdStep(
    const unsigned long long* addresses, const Chunk* chunks, const float* factor,
    const SgdRates* rates, int tensors) {
  const SgdRates by = *rates;
  const Chunk chunk = chunks[blockIdx.x];
  const float* parameter = valuesOf(addresses, chunk.tensor);
  const float* gradient = valuesOf(addresses, tensors + chunk.tensor);
  const float* velocity = valuesOf(addresses, 2 * tensors + chunk.tensor);
  float* newParameter = valuesOf(addresses, 3 * tensors + chunk.tensor);
  float* newVelocity = valuesOf(addresses, 4 * tensors + chunk.tensor);
  for (int i = chunk.first + threadIdx.x; i < chunk.first + chunk.size; i += 256) {
    const float g = gradient[i] * factor[0] + by.decay * parameter[i];
    const float m = by.momentum * velocity[i] + g;
    newVelocity[i] = m;
    newParameter[i] = parameter[i] - by.rate * m;
  }
}

// Lists: parameters, gradients, first and second moments, new parameters, new first and second
// moments.
extern "C" __global__ void __launch_bounds__(256) adamStep(
    const unsigned long long* addresses, const Chunk* chunks, const float* factor,
    const AdamRates* rates, int tensors) {
  const AdamRates by = *rates;
  const Chunk chunk = chunks[blockIdx.x];
  const float* parameter = valuesOf(addresses, chunk.tensor);
  const float* gradient = valuesOf(addresses, tensors + chunk.tensor);
  const float* first = valuesOf(addresses, 2 * tensors + chunk.tensor);
  const float* second = valuesOf(addresses, 3 * tensors + chunk.tensor);
  float* newParameter = valuesOf(addresses, 4 * tensors + chunk.tensor);
  float* newFirst = valuesOf(addresses, 5 * tensors + chunk.tensor);
  float* newSecond = valuesOf(addresses, 6 * tensors + chunk.tensor);
  for (int i = chunk.first + threadIdx.x; i < chunk.first + chunk.size; i += 256) {
    const float g = gradient[i] * factor[0] + by.decay * parameter[i];
    const float m = by.beta1 * first[i] + by.gain1 * g;
    const float v = by.beta2 * second[i] + by.gain2 * g * g;
    newFirst[i] = m;
    newSecond[i] = v;
    newParameter[i] = parameter[i] - by.rate * m / (sqrtf(v) * by.root + by.epsilon);
  }
}
