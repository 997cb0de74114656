// The batch norm behind a branch, y of [P, C]: moments, the affine pair that it amounts to, and the
// coefficients of its gradient.
//
//     affine  = [gamma / sqrt(variance + epsilon), beta - mean scale], moments = [mean, variance]
//     gradient before the norm = dy + b y + c, see kernels/branches_grad.ts
//
// Floor of the moments: y read once; pointwise.cu computes them from the results it holds instead.

// Mean and sum of squared differences of each channel in each part of `length` pixels, [parts, 2, C],
// about the part's first value, so that a large mean costs no digits.
extern "C" __global__ void moments(const float* y, float* partials, int pixels, int channels,
                                   int length, int lanes) {
  const Place place = placeOf(channels, lanes);
  const int first = place.part * length, count = min(pixels - first, length);
  const float* from = y + (size_t)first * channels + place.c;
  float pivot = 0.0f, sum = 0.0f, squares = 0.0f;
  if (place.c < channels) {
    pivot = from[0];
    for (int p = place.row; p < count; p += place.height) {
      const float difference = from[(size_t)p * channels] - pivot;
      sum += difference;
      squares = fmaf(difference, difference, squares);
    }
  }
  sum = sumOverRows(sum, lanes);
  squares = sumOverRows(squares, lanes);
  if (place.row > 0 || place.c >= channels) return;
  const float mean = sum / count;
  partials[2 * place.part * channels + place.c] = pivot + mean;
  partials[(2 * place.part + 1) * channels + place.c] = fmaxf(squares - sum * mean, 0.0f);
}

// Neighbouring channels of a block of batchNorm; its other threads share a channel's parts.
constexpr int GROUP = 8;

// The sum of a value over the threads of a channel, in a fixed order, for all of them.
__device__ double sumOverThreads(double value) {
  __shared__ double values[THREADS];
  values[threadIdx.x] = value;
  for (int half = THREADS / 2; half >= GROUP; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) values[threadIdx.x] += values[threadIdx.x + half];
  }
  __syncthreads();
  const double sum = values[threadIdx.x % GROUP];
  __syncthreads();
  return sum;
}

// The batch norm of each channel from the moments of its parts: the mean of the means, then the squares
// about it. `gamma` and `beta` may be null.
extern "C" __global__ void batchNorm(const float* partials, const float* gamma, const float* beta,
                                     float* affine, float* moments, int pixels, int channels,
                                     int length, int parts, float epsilon) {
  const int c = blockIdx.x * GROUP + threadIdx.x % GROUP, row = threadIdx.x / GROUP;
  const int own = c < channels ? parts : 0;
  double sum = 0.0, squares = 0.0;
  for (int part = row; part < own; part += THREADS / GROUP) {
    const int count = min(pixels - part * length, length);
    sum += (double)partials[2 * part * channels + c] * count;
  }
  const double mean = sumOverThreads(sum) / pixels;
  for (int part = row; part < own; part += THREADS / GROUP) {
    const int count = min(pixels - part * length, length);
    const double difference = partials[2 * part * channels + c] - mean;
    squares += partials[(2 * part + 1) * channels + c] + difference * difference * count;
  }
  const double variance = sumOverThreads(squares) / pixels;
  if (row > 0 || c >= channels) return;
  const float scale = (gamma ? gamma[c] : 1.0f) / sqrtf((float)variance + epsilon);
  affine[c] = scale;
  affine[channels + c] = (beta ? beta[c] : 0.0f) - (float)mean * scale;
  moments[c] = (float)mean;
  moments[channels + c] = (float)variance;
}

// The gradient by the norm's input as coefficients of y and 1, [2, C], and those of gamma and beta, which
// may be null: a channel a thread; every channel has `count` values.
extern "C" __global__ void normGrad(const float* affine, const float* moments, const float* dAffine,
                                    const float* gamma, float* coefficients, float* dGamma,
                                    float* dBeta, int channels, float count, float epsilon) {
  const int c = threadNumber();
  if (c >= channels) return;
  const float mean = moments[c], ofShift = dAffine[channels + c];
  const float inverse = 1.0f / sqrtf(moments[channels + c] + epsilon);
  const float centred = dAffine[c] - mean * ofShift;
  const float ofVariance =
      -0.5f * (gamma ? gamma[c] : 1.0f) * inverse * inverse * inverse * centred;
  // A single value never varies.
  const float b = count > 1.0f ? 2.0f * ofVariance / count : 0.0f;
  coefficients[c] = b;
  coefficients[channels + c] = -affine[c] * ofShift / count - mean * b;
  if (dGamma) dGamma[c] = inverse * centred;
  if (dBeta) dBeta[c] = ofShift;
}

// The gradient before the norm, for kernels that take it from memory: a value a thread.
extern "C" __global__ void incoming(const float* dy, const float* y, const float* coefficients,
                                    float* g, unsigned int items, int channels) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const Incoming incoming = {dy, y, coefficients, channels};
  g[item] = incoming(item / channels, item % channels);
}
