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

__device__ const float* values_of(const unsigned long long* addresses, int index) {
  return (const float*)addresses[index];
}

extern "C" __global__ void __launch_bounds__(256) sum_squares(
    const unsigned long long* addresses, const Chunk* chunks, float* sums, int tensors) {
  const Chunk chunk = chunks[blockIdx.x];
  const float* gradient = values_of(addresses, tensors + chunk.tensor) + chunk.first;
  float sum = 0;
  for (int i = threadIdx.x; i < chunk.size; i += 256) sum += gradient[i] * gradient[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// The norm of all gradients, and the factor that clips it.
extern "C" __global__ void __launch_bounds__(256) global_norm(
    const float* sums, float* norm, float* factor, int chunks, float clip) {
  double total = 0;
  for (int i = threadIdx.x; i < chunks; i += 256) total += sums[i];
  total = block_sum(total);
  if (threadIdx.x > 0) return;
  const float root = (float)sqrt(total);
  norm[0] = root;
  factor[0] = root + 1e-6f <= clip ? 1.0f : clip / (root + 1e-6f);
}

// Lists: parameters, gradients, momenta, new parameters, new momenta.
extern "C" __global__ void __launch_bounds__(256) sgd_step(
    const unsigned long long* addresses, const Chunk* chunks, const float* factor, int tensors,
    float decay, float momentum, float rate) {
  const Chunk chunk = chunks[blockIdx.x];
  const float* parameter = values_of(addresses, chunk.tensor);
  const float* gradient = values_of(addresses, tensors + chunk.tensor);
  const float* velocity = values_of(addresses, 2 * tensors + chunk.tensor);
  float* new_parameter = (float*)addresses[3 * tensors + chunk.tensor];
  float* new_velocity = (float*)addresses[4 * tensors + chunk.tensor];
  for (int i = chunk.first + threadIdx.x; i < chunk.first + chunk.size; i += 256) {
    const float g = gradient[i] * factor[0] + decay * parameter[i];
    const float m = momentum * velocity[i] + g;
    new_velocity[i] = m;
    new_parameter[i] = parameter[i] - rate * m;
  }
}

// Lists: parameters, gradients, first and second moments, new parameters, new first and second
// moments. The bias corrections are in `rate` and `root`.
extern "C" __global__ void __launch_bounds__(256) adam_step(
    const unsigned long long* addresses, const Chunk* chunks, const float* factor, int tensors,
    float decay, float beta1, float gain1, float beta2, float gain2, float rate, float root,
    float epsilon) {
  const Chunk chunk = chunks[blockIdx.x];
  const float* parameter = values_of(addresses, chunk.tensor);
  const float* gradient = values_of(addresses, tensors + chunk.tensor);
  const float* first = values_of(addresses, 2 * tensors + chunk.tensor);
  const float* second = values_of(addresses, 3 * tensors + chunk.tensor);
  float* new_parameter = (float*)addresses[4 * tensors + chunk.tensor];
  float* new_first = (float*)addresses[5 * tensors + chunk.tensor];
  float* new_second = (float*)addresses[6 * tensors + chunk.tensor];
  for (int i = chunk.first + threadIdx.x; i < chunk.first + chunk.size; i += 256) {
    const float g = gradient[i] * factor[0] + decay * parameter[i];
    const float m = beta1 * first[i] + gain1 * g;
    const float v = beta2 * second[i] + gain2 * g * g;
    new_first[i] = m;
    new_second[i] = v;
    new_parameter[i] = parameter[i] - rate * m / (sqrtf(v) * root + epsilon);
  }
}
