// Second halves of reductions, and what gradients begin with.

// Neighbouring sums of a block of addParts; its other threads take the parts of a sum in turns.
constexpr int GROUP = 32;

// Adds partial results, [parts, length] to [length], in an order that depends on their number alone.
extern "C" __global__ void addParts(const float* from, float* to, int length, int parts) {
  __shared__ double values[THREADS];
  const int at = blockIdx.x * GROUP + threadIdx.x % GROUP;
  double sum = 0.0;
  for (int part = threadIdx.x / GROUP; at < length && part < parts; part += THREADS / GROUP) {
    sum += from[(size_t)part * length + at];
  }
  values[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x >= GROUP || at >= length) return;
  for (int other = threadIdx.x + GROUP; other < THREADS; other += GROUP) sum += values[other];
  to[at] = (float)sum;
}

// to = from, or to += from with `add`; zero where `from` is null. A value a thread.
extern "C" __global__ void accumulate(const float* from, float* to, unsigned int items, int add) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const float value = from ? from[item] : 0.0f;
  to[item] = add ? to[item] + value : value;
}
