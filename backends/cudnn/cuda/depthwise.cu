// A depthwise convolution of activated images, [N, H, W, C] and [k, k, C, 1] to [N, OH, OW, C], and its
// gradients; one module a window. A thread makes a strip of neighbouring results of one row and channel,
// which share the columns that they read; neighbouring threads take neighbouring channels.
//
// Floor: every image is read once and every result written once, 2 k^2 operations a result. A 5x5
// window of stride 1 reads 40 values for 4 results from the cache, where single results would read 100.
constexpr int KERNEL = 3;
constexpr int STRIDE = 1;
constexpr int DILATION = 1;

constexpr int STRIP = 4;
constexpr int TAPS = KERNEL * KERNEL;
constexpr int PAD = DILATION * (KERNEL - 1) / 2;
// Columns of an image under a strip.
constexpr int SPAN = (STRIP - 1) * STRIDE + (KERNEL - 1) * DILATION + 1;

// The strip that has number `strip` in [N, OH, across]: its image, its row and its first column.
struct Strip {
  int image, i, j;

  __device__ Strip(unsigned int strip, int outHeight, int outWidth) {
    const int across = (outWidth + STRIP - 1) / STRIP;
    const unsigned int line = strip / across;
    image = line / outHeight;
    i = line % outHeight;
    j = strip % across * STRIP;
  }
};

// Activated values of row h under a strip, zero outside of the image.
__device__ void loadRow(float (&values)[SPAN], const Stored* x, Activation activation, int left,
                        int width, int channels) {
#pragma unroll
  for (int k = 0; k < SPAN; k++) {
    const int w = left + k;
    values[k] = w >= 0 && w < width ? activation(x[(size_t)w * channels]) : 0.0f;
  }
}

// With `turned`, the filter is turned by 180 degrees: at stride 1, that is the gradient by the input.
// With `add`, adds to y. `items` counts strips times channels.
extern "C" __global__ void depthwise(
    const Stored* x, const float* affine, const float* filter, float* y, unsigned int items,
    int height, int width, int channels, int outHeight, int outWidth, int relu, int turned,
    int add) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const int c = item % channels;
  const Strip strip(item / channels, outHeight, outWidth);
  const Activation activation = activationOf(affine, relu, channels, c);
  float sums[STRIP] = {};
#pragma unroll
  for (int r = 0; r < KERNEL; r++) {
    const int h = strip.i * STRIDE - PAD + r * DILATION;
    if (h < 0 || h >= height) continue;
    const Stored* row = x + ((size_t)strip.image * height + h) * width * channels + c;
    float values[SPAN];
    loadRow(values, row, activation, strip.j * STRIDE - PAD, width, channels);
#pragma unroll
    for (int s = 0; s < KERNEL; s++) {
      const int tap = r * KERNEL + s;
      const float weight = filter[(turned ? TAPS - 1 - tap : tap) * channels + c];
#pragma unroll
      for (int q = 0; q < STRIP; q++) {
        sums[q] = fmaf(values[q * STRIDE + s * DILATION], weight, sums[q]);
      }
    }
  }
  float* to = y + (((size_t)strip.image * outHeight + strip.i) * outWidth + strip.j) * channels + c;
#pragma unroll
  for (int q = 0; q < STRIP; q++) {
    if (strip.j + q >= outWidth) return;
    const size_t at = (size_t)q * channels;
    to[at] = add ? to[at] + sums[q] : sums[q];
  }
}

// The gradient by the (activated) input at any stride, gathered: one value a thread. `items` counts
// the values of dx; with `add`, adds to them.
extern "C" __global__ void depthwiseInputGrad(
    const float* g, const float* filter, float* dx, unsigned int items, int height, int width,
    int channels, int outHeight, int outWidth, int add) {
  const unsigned int item = threadNumber();
  if (item >= items) return;
  const int c = item % channels;
  const unsigned int pixel = item / channels, line = pixel / width;
  const int w = pixel % width, h = line % height, image = line / height;
  float sum = 0.0f;
#pragma unroll
  for (int r = 0; r < KERNEL; r++) {
    const int down = h + PAD - r * DILATION, i = down / STRIDE;
    if (down < 0 || down % STRIDE != 0 || i >= outHeight) continue;
    const float* row = g + ((size_t)image * outHeight + i) * outWidth * channels + c;
#pragma unroll
    for (int s = 0; s < KERNEL; s++) {
      const int right = w + PAD - s * DILATION, j = right / STRIDE;
      if (right < 0 || right % STRIDE != 0 || j >= outWidth) continue;
      sum = fmaf(row[(size_t)j * channels], filter[(r * KERNEL + s) * channels + c], sum);
    }
  }
  dx[item] = add ? dx[item] + sum : sum;
}

// The gradient by the filter, as sums over parts of the strips: `partial` is [parts, k^2, C]. A block
// has one part; the rows of its threads take the part's strips in turns.
extern "C" __global__ void __launch_bounds__(THREADS) depthwiseFilterGrad(
    const Stored* x, const float* affine, const float* g, float* partial, int strips, int share,
    int height, int width, int channels, int outHeight, int outWidth, int relu, int lanes) {
  const Place place = placeOf(channels, lanes);
  const int c = place.c, end = min((place.part + 1) * share, strips);
  float sums[KERNEL][KERNEL] = {};
  if (c < channels) {
    const Activation activation = activationOf(affine, relu, channels, c);
    for (int at = place.part * share + place.row; at < end; at += place.height) {
      const Strip strip(at, outHeight, outWidth);
      const float* from =
          g + (((size_t)strip.image * outHeight + strip.i) * outWidth + strip.j) * channels + c;
      float incoming[STRIP];
#pragma unroll
      for (int q = 0; q < STRIP; q++) {
        incoming[q] = strip.j + q < outWidth ? from[(size_t)q * channels] : 0.0f;
      }
#pragma unroll
      for (int r = 0; r < KERNEL; r++) {
        const int h = strip.i * STRIDE - PAD + r * DILATION;
        if (h < 0 || h >= height) continue;
        const Stored* row = x + ((size_t)strip.image * height + h) * width * channels + c;
        float values[SPAN];
        loadRow(values, row, activation, strip.j * STRIDE - PAD, width, channels);
#pragma unroll
        for (int s = 0; s < KERNEL; s++) {
#pragma unroll
          for (int q = 0; q < STRIP; q++) {
            sums[r][s] = fmaf(values[q * STRIDE + s * DILATION], incoming[q], sums[r][s]);
          }
        }
      }
    }
  }
  // The sums over the rows of the block: a row of taps at a time, each tap with threads of its own.
  __shared__ float values[KERNEL][THREADS];
#pragma unroll
  for (int r = 0; r < KERNEL; r++) {
#pragma unroll
    for (int tap = 0; tap < KERNEL; tap++) values[tap][threadIdx.x] = sums[r][tap];
    __syncthreads();
    for (int tap = place.row; tap < KERNEL && c < channels; tap += place.height) {
      float sum = 0.0f;
      for (int at = threadIdx.x % lanes; at < THREADS; at += lanes) sum += values[tap][at];
      partial[(place.part * TAPS + r * KERNEL + tap) * channels + c] = sum;
    }
    __syncthreads();
  }
}
