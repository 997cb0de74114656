// What kernels share; put in front of their source. Threads of a block are numbered in one dimension.

// Threads of a block of the kernels that sum over pixels by channel.
constexpr int THREADS = 256;

__device__ unsigned int threadNumber() { return blockIdx.x * blockDim.x + threadIdx.x; }

// How a branch activates a channel of its input: x | max(x, 0) | max(scale x + shift, 0). NaN stays.
struct Activation {
  float scale, shift;
  bool relu;

  __device__ float before(float x) const { return fmaf(x, scale, shift); }

  __device__ float operator()(float x) const {
    const float value = before(x);
    return relu && value < 0.0f ? 0.0f : value;
  }
};

// `affine` is [2, channels], or null; with it there is always a ReLU.
__device__ Activation activationOf(const float* affine, int relu, int channels, int c) {
  if (affine) return {affine[c], affine[channels + c], true};
  return {1.0f, 0.0f, relu != 0};
}

// A thread's place in a sum over pixels by channel: a block has one part of the pixels and as many
// neighbouring channels as `lanes`; its threads of one channel, `height` of them, are called rows.
struct Place {
  int part, c, row, height;
};

__device__ Place placeOf(int channels, int lanes) {
  const int groups = (channels + lanes - 1) / lanes;
  return {(int)blockIdx.x / groups, (int)blockIdx.x % groups * lanes + (int)threadIdx.x % lanes,
          (int)threadIdx.x / lanes, THREADS / lanes};
}

// The sum of a value over the rows of a block, in their order, for the threads of row 0. All call it.
__device__ float sumOverRows(float value, int lanes) {
  __shared__ float values[THREADS];
  values[threadIdx.x] = value;
  __syncthreads();
  float sum = 0.0f;
  if (threadIdx.x < lanes) {
    for (int at = threadIdx.x; at < THREADS; at += lanes) sum += values[at];
  }
  __syncthreads();
  return sum;
}
