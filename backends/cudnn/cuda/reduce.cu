// Second halves of reductions, and what gradients begin with.

// Partial results that are to be added: [parts, length] to [length].
struct Sums {
  const float* from;
  float* to;
  int length, parts;
};

// Neighbouring sums of a block of addParts; its other threads take the parts of a sum in turns.
constexpr int GROUP = 32;

// Adds several of them, see kernels/packs.ts, each in an order given by its number of parts alone.
extern "C" __global__ void __launch_bounds__(THREADS) addParts(
    // each
    const float* from#, float* to#, int length#, int parts#,
    // end
) {
  __shared__ double values[THREADS];
  Sums sums;
  // each
  if (blockIdx.y == #) sums = {from#, to#, length#, parts#};
  // end
  const int at = blockIdx.x * GROUP + threadIdx.x % GROUP;
  double sum = 0.0;
  for (int part = threadIdx.x / GROUP; at < sums.length && part < sums.parts;
       part += THREADS / GROUP) {
    sum += sums.from[(size_t)part * sums.length + at];
  }
  values[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x >= GROUP || at >= sums.length) return;
  for (int other = threadIdx.x + GROUP; other < THREADS; other += GROUP) sum += values[other];
  sums.to[at] = (float)sum;
}

// to = from, or to += from with `add`; zero where `from` is null. A value a thread.
extern "C" __global__ void accumulate(const float* from, float* to, unsigned int items, int add) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const float value = from ? from[item] : 0.0f;
  to[item] = add ? to[item] + value : value;
}
