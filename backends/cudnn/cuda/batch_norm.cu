// The batch norm behind a branch, y of [P, C]: moments, the affine pair that it amounts to, and the
// coefficients of its gradient.
//
//     affine  = [gamma / sqrt(variance + epsilon), beta - mean scale], moments = [mean, variance]
//     gradient before the norm = dy + b y + c, see kernels/branches_grad.ts
//
// Floor of the moments: y read once; pointwise.cu computes them from the results it holds instead.

// Mean and sum of squared differences of each channel in each part of `length` pixels, [parts, 2, C],
// about the part's first value, so that a large mean costs no digits.
extern "C" __global__ void __launch_bounds__(THREADS) moments(
    const Stored* y, float* partials, int pixels, int channels, int length, int lanes) {
  const Place place = placeOf(channels, lanes);
  const int first = place.part * length, count = min(pixels - first, length);
  const Stored* from = y + (size_t)first * channels + place.c;
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

// A batch norm: the moments of the parts of y, its parameters or null, and its results.
struct Norm {
  const float *partials, *gamma, *beta;
  float *affine, *moments;
  int pixels, channels, length, parts;
  float epsilon;
};

// Several batch norms, see kernels/packs.ts, each channel from the moments of its parts: the mean of the
// means, then the squares about it.
extern "C" __global__ void __launch_bounds__(THREADS) batchNorm(
    // each
    const float* partials#, const float* gamma#, const float* beta#, float* affine#, float* moments#,
    int pixels#, int channels#, int length#, int parts#, float epsilon#,
    // end
) {
  Norm norm;
  // each
  if (blockIdx.y == #) {
    norm = {partials#, gamma#, beta#, affine#, moments#, pixels#, channels#, length#, parts#, epsilon#};
  }
  // end
  const int channels = norm.channels;
  const int c = blockIdx.x * GROUP + threadIdx.x % GROUP, row = threadIdx.x / GROUP;
  const int own = c < channels ? norm.parts : 0;
  double sum = 0.0, squares = 0.0;
  for (int part = row; part < own; part += THREADS / GROUP) {
    const int count = min(norm.pixels - part * norm.length, norm.length);
    sum += (double)norm.partials[2 * part * channels + c] * count;
  }
  const double mean = sumOverThreads(sum) / norm.pixels;
  for (int part = row; part < own; part += THREADS / GROUP) {
    const int count = min(norm.pixels - part * norm.length, norm.length);
    const double difference = norm.partials[2 * part * channels + c] - mean;
    squares += norm.partials[(2 * part + 1) * channels + c] + difference * difference * count;
  }
  const double variance = sumOverThreads(squares) / norm.pixels;
  if (row > 0 || c >= channels) return;
  const float gamma = norm.gamma ? norm.gamma[c] : 1.0f, beta = norm.beta ? norm.beta[c] : 0.0f;
  const float scale = gamma / sqrtf((float)variance + norm.epsilon);
  norm.affine[c] = scale;
  norm.affine[channels + c] = beta - (float)mean * scale;
  norm.moments[c] = (float)mean;
  norm.moments[channels + c] = (float)variance;
}

// The gradient of a batch norm: what the forward pass and the loss gave, and the results; gamma and the
// gradients of gamma and beta may be null. Every channel has `count` values.
struct NormGrad {
  const float *affine, *moments, *dAffine, *gamma;
  float *coefficients, *dGamma, *dBeta;
  int channels;
  float count, epsilon;
};

// Several such gradients, see kernels/packs.ts, by the norm's input as coefficients of y and 1, [2, C],
// and by gamma and beta: a channel a thread.
extern "C" __global__ void __launch_bounds__(THREADS) normGrad(
    // each
    const float* affine#, const float* moments#, const float* dAffine#, const float* gamma#,
    float* coefficients#, float* dGamma#, float* dBeta#, int channels#, float count#, float epsilon#,
    // end
) {
  NormGrad grad;
  // each
  if (blockIdx.y == #) {
    grad = {affine#, moments#, dAffine#, gamma#, coefficients#, dGamma#, dBeta#, channels#, count#,
            epsilon#};
  }
  // end
  const int c = threadNumber(), channels = grad.channels;
  if (c >= channels) return;
  const float mean = grad.moments[c], ofShift = grad.dAffine[channels + c];
  const float inverse = 1.0f / sqrtf(grad.moments[channels + c] + grad.epsilon);
  const float centred = grad.dAffine[c] - mean * ofShift;
  const float gamma = grad.gamma ? grad.gamma[c] : 1.0f;
  const float ofVariance = -0.5f * gamma * inverse * inverse * inverse * centred;
  // A single value never varies.
  const float b = grad.count > 1.0f ? 2.0f * ofVariance / grad.count : 0.0f;
  grad.coefficients[c] = b;
  grad.coefficients[channels + c] = -grad.affine[c] * ofShift / grad.count - mean * b;
  if (grad.dGamma) grad.dGamma[c] = inverse * centred;
  if (grad.dBeta) grad.dBeta[c] = ofShift;
}

// The gradient before the norm, for kernels that take it from memory: a value a thread.
extern "C" __global__ void incoming(
    const float* dy, const Stored* y, const float* coefficients, float* g, unsigned int items,
    int channels) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const Incoming incoming = {dy, y, coefficients, channels};
  g[item] = incoming(item / channels, item % channels);
}
