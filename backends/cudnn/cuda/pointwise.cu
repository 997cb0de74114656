// A pointwise (1x1) convolution of activated images, [N, H, W, C] and [1, 1, C, M] to M channels of
// [N, OH, OW, row channels], and its gradients, as matrix products of tiles in shared memory; one module
// a width of tiles. Output pixel (i, j) reads pixel (i stride + offset, j stride + offset).
//
// A block of 256 threads makes ROWS x COLUMNS results, each thread 4 x 4 of them. Tiles are as wide as
// the few channels here: 256 x 16, 128 x 32 or 64 x 64. Floor: 4 (C + M) bytes and 2 C M operations a
// pixel; memory bounds it on an H100 (20 operations a byte) up to 80 channels.
constexpr int COLUMNS = 16;

constexpr int SIDE = 4;
constexpr int ACROSS = COLUMNS / SIDE;
constexpr int ROWS = THREADS / ACROSS * SIDE;
// Channels that are summed over at once: where C = M, all of them.
constexpr int DEPTH = COLUMNS;
// Neighbouring channels of a row that neighbouring threads load, 32 bytes; 32 threads load 4 such rows
// and write them to 32 banks.
constexpr int SECTOR = 8;
constexpr int WARPS = THREADS / 32;

// Where output pixels lie in the input; at stride 1 without an offset they are the same.
struct Grid {
  int height, width, outHeight, outWidth, stride, offset;

  __device__ int inputPixel(int pixel) const {
    if (stride == 1) return pixel;
    const int line = pixel / outWidth, image = line / outHeight;
    const int h = line % outHeight * stride + offset, w = pixel % outWidth * stride + offset;
    return (image * height + h) * width + w;
  }
};

// A thread's 4 x 4 results of a block's tile, from `row` and `column` on.
struct Results {
  float sums[SIDE][SIDE];
  int row, column;
};

// The products of a tile: left(r, k) times right(k, c), summed over k < depth.
template <class Left, class Right>
__device__ Results product(int depth, Left left, Right right) {
  alignas(16) __shared__ float rows[DEPTH][ROWS + SIDE];
  alignas(16) __shared__ float columns[DEPTH][COLUMNS];
  const int thread = threadIdx.x;
  Results results = {{}, thread / ACROSS * SIDE, thread % ACROSS * SIDE};
  for (int start = 0; start < depth; start += DEPTH) {
#pragma unroll
    for (int at = thread; at < DEPTH * ROWS; at += THREADS) {
      const int k = at / (SECTOR * ROWS) * SECTOR + at % SECTOR, r = at / SECTOR % ROWS;
      rows[k][r] = start + k < depth ? left(r, start + k) : 0.0f;
    }
#pragma unroll
    for (int at = thread; at < DEPTH * COLUMNS; at += THREADS) {
      const int k = at / COLUMNS, c = at % COLUMNS;
      columns[k][c] = start + k < depth ? right(start + k, c) : 0.0f;
    }
    __syncthreads();
#pragma unroll 16
    for (int k = 0; k < DEPTH; k++) {
      const float4 r = *(const float4*)&rows[k][results.row];
      const float4 c = *(const float4*)&columns[k][results.column];
      const float a[SIDE] = {r.x, r.y, r.z, r.w}, b[SIDE] = {c.x, c.y, c.z, c.w};
#pragma unroll
      for (int p = 0; p < SIDE; p++) {
#pragma unroll
        for (int q = 0; q < SIDE; q++) results.sums[p][q] = fmaf(a[p], b[q], results.sums[p][q]);
      }
    }
    __syncthreads();
  }
  return results;
}

// Writes the first `count` of four neighbouring values, or adds to them; all four at once where that is
// aligned.
__device__ void store(float* to, const float (&values)[SIDE], int count, int add = 0) {
  if (count == SIDE && (size_t)to % sizeof(float4) == 0) {
    float4* four = (float4*)to;
    const float4 old = add ? *four : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    *four = make_float4(old.x + values[0], old.y + values[1], old.z + values[2], old.w + values[3]);
    return;
  }
  for (int q = 0; q < count; q++) to[q] = add ? to[q] + values[q] : values[q];
}

// The same for bf16, which nothing is added to.
__device__ void store(Bfloat16* to, const float (&values)[SIDE], int count) {
  if (count == SIDE && (size_t)to % sizeof(Bfloat16Quad) == 0) {
    *(Bfloat16Quad*)to = {values[0], values[1], values[2], values[3]};
    return;
  }
  for (int q = 0; q < count; q++) to[q] = values[q];
}

// Rounds results to what is kept of them, so that their moments are those of what others read.
__device__ void keep(Results& results) {
#pragma unroll
  for (int p = 0; p < SIDE; p++) {
#pragma unroll
    for (int q = 0; q < SIDE; q++) results.sums[p][q] = Stored(results.sums[p][q]);
  }
}

// Sums of each column over a block's rows, from a thread's sums over its own: first within a warp, whose
// lanes of one column are ACROSS apart, then over the warps in their order.
__device__ void sumColumns(float (&sums)[SIDE], int column) {
  __shared__ float warps[WARPS][COLUMNS];
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int q = 0; q < SIDE; q++) {
    for (int apart = ACROSS; apart < 32; apart *= 2) {
      sums[q] += __shfl_xor_sync(0xffffffffu, sums[q], apart);
    }
    if (lane < ACROSS) warps[threadIdx.x / 32][column + q] = sums[q];
  }
  __syncthreads();
#pragma unroll
  for (int q = 0; q < SIDE; q++) {
    sums[q] = 0.0f;
    for (int warp = 0; warp < WARPS; warp++) sums[q] += warps[warp][column + q];
  }
  __syncthreads();
}

// Mean and sum of squared differences of each column over the first `count` rows of a tile, from the
// results themselves, so that a large mean costs no digits.
struct Moments {
  float mean[SIDE], squares[SIDE];
};

__device__ Moments momentsOf(const Results& results, int count) {
  Moments moments = {};
#pragma unroll
  for (int p = 0; p < SIDE; p++) {
#pragma unroll
    for (int q = 0; q < SIDE; q++) moments.mean[q] += results.sums[p][q];
  }
  // Rows behind the last are zero.
  sumColumns(moments.mean, results.column);
#pragma unroll
  for (int q = 0; q < SIDE; q++) {
    moments.mean[q] /= count;
#pragma unroll
    for (int p = 0; p < SIDE; p++) {
      const float difference = results.sums[p][q] - moments.mean[q];
      if (results.row + p < count) moments.squares[q] += difference * difference;
    }
  }
  sumColumns(moments.squares, results.column);
  return moments;
}

// y, and where `partials` is not null the moments of each tile: [tiles, 2, row channels].
extern "C" __global__ void __launch_bounds__(THREADS) pointwise(
    const float* x, const float* affine, const float* filter, Stored* y, float* partials, int pixels,
    int channels, int height, int width, int outHeight, int outWidth, int stride, int offset,
    int outChannels, int rowChannels, int firstChannel, int relu) {
  __shared__ int origins[ROWS];
  const int across = (outChannels + COLUMNS - 1) / COLUMNS, tile = blockIdx.x / across;
  const int first = tile * ROWS, count = min(pixels - first, ROWS);
  const int firstColumn = (int)blockIdx.x % across * COLUMNS;
  const Grid grid = {height, width, outHeight, outWidth, stride, offset};
  for (int r = threadIdx.x; r < count; r += THREADS) origins[r] = grid.inputPixel(first + r);
  __syncthreads();
  Results results = product(
      channels,
      [=](int r, int k) {
        if (r >= count) return 0.0f;
        return activationOf(affine, relu, channels, k)(x[(size_t)origins[r] * channels + k]);
      },
      [=](int k, int c) {
        return firstColumn + c < outChannels ? filter[k * outChannels + firstColumn + c] : 0.0f;
      });
  keep(results);
  const int own = min(outChannels - firstColumn - results.column, SIDE);
  const int to = firstChannel + firstColumn + results.column;
#pragma unroll
  for (int p = 0; p < SIDE; p++) {
    if (results.row + p >= count) break;
    store(y + (size_t)(first + results.row + p) * rowChannels + to, results.sums[p], own);
  }
  if (!partials) return;
  const Moments moments = momentsOf(results, count);
  if (results.row > 0) return;
  for (int q = 0; q < own; q++) {
    partials[2 * tile * rowChannels + to + q] = moments.mean[q];
    partials[(2 * tile + 1) * rowChannels + to + q] = moments.squares[q];
  }
}

// The gradient by the (activated) input, at the pixels that were read; with `add`, adds to dx.
extern "C" __global__ void __launch_bounds__(THREADS) pointwiseInputGrad(
    const float* dy, const Stored* y, const float* coefficients, const float* filter, float* dx,
    int pixels, int channels, int height, int width, int outHeight, int outWidth, int stride,
    int offset, int outChannels, int rowChannels, int firstChannel, int add) {
  const int across = (channels + COLUMNS - 1) / COLUMNS;
  const int first = (int)blockIdx.x / across * ROWS, count = min(pixels - first, ROWS);
  const int firstColumn = (int)blockIdx.x % across * COLUMNS;
  const Grid grid = {height, width, outHeight, outWidth, stride, offset};
  const Incoming incoming = {dy, y, coefficients, rowChannels};
  const Results results = product(
      outChannels,
      [=](int r, int k) { return r < count ? incoming(first + r, firstChannel + k) : 0.0f; },
      [=](int k, int c) {
        return firstColumn + c < channels ? filter[(firstColumn + c) * outChannels + k] : 0.0f;
      });
  const int own = min(channels - firstColumn - results.column, SIDE);
#pragma unroll
  for (int p = 0; p < SIDE; p++) {
    if (results.row + p >= count) break;
    const size_t pixel = grid.inputPixel(first + results.row + p);
    store(dx + pixel * channels + firstColumn + results.column, results.sums[p], own, add);
  }
}

// Threads that make a square tile of the filter's gradient together, and how many such groups a block
// has: each takes some of the pixels, and their sums are added in order.
constexpr int GROUP = ACROSS * ACROSS;
constexpr int GROUPS = THREADS / GROUP;
// Pixels that are staged at once.
constexpr int PIXELS = 8 * THREADS / COLUMNS;

// The gradient by the filter, as sums over parts of the pixels: `partial` is [parts, C, M]; COLUMNS x
// COLUMNS of one part a block.
extern "C" __global__ void __launch_bounds__(THREADS) pointwiseFilterGrad(
    const float* x, const float* affine, const float* dy, const Stored* y, const float* coefficients,
    float* partial, int pixels, int share, int channels, int height, int width, int outHeight,
    int outWidth, int stride, int offset, int outChannels, int rowChannels, int firstChannel,
    int relu) {
  alignas(16) __shared__ float rows[PIXELS][COLUMNS];
  alignas(16) __shared__ float columns[PIXELS][COLUMNS];
  __shared__ float groups[GROUPS][COLUMNS][COLUMNS];
  const int across = (outChannels + COLUMNS - 1) / COLUMNS;
  const int down = (channels + COLUMNS - 1) / COLUMNS;
  const int firstColumn = (int)blockIdx.x % across * COLUMNS;
  const int firstRow = (int)blockIdx.x / across % down * COLUMNS;
  const int part = (int)blockIdx.x / across / down, end = min((part + 1) * share, pixels);
  const int thread = threadIdx.x, group = thread / GROUP;
  const int row = thread % GROUP / ACROSS * SIDE, column = thread % ACROSS * SIDE;
  const Grid grid = {height, width, outHeight, outWidth, stride, offset};
  const Incoming incoming = {dy, y, coefficients, rowChannels};
  float sums[SIDE][SIDE] = {};
  for (int start = part * share; start < end; start += PIXELS) {
#pragma unroll
    for (int at = thread; at < PIXELS * COLUMNS; at += THREADS) {
      const int c = at % COLUMNS, p = at / COLUMNS, pixel = start + p;
      const int k = firstRow + c, m = firstColumn + c;
      rows[p][c] = 0.0f;
      columns[p][c] = 0.0f;
      if (pixel >= end) continue;
      if (k < channels) {
        const float value = x[(size_t)grid.inputPixel(pixel) * channels + k];
        rows[p][c] = activationOf(affine, relu, channels, k)(value);
      }
      if (m < outChannels) columns[p][c] = incoming(pixel, firstChannel + m);
    }
    __syncthreads();
#pragma unroll 8
    for (int turn = 0; turn < PIXELS / GROUPS; turn++) {
      const int p = turn * GROUPS + group;
      const float4 r = *(const float4*)&rows[p][row], c = *(const float4*)&columns[p][column];
      const float a[SIDE] = {r.x, r.y, r.z, r.w}, b[SIDE] = {c.x, c.y, c.z, c.w};
#pragma unroll
      for (int i = 0; i < SIDE; i++) {
#pragma unroll
        for (int j = 0; j < SIDE; j++) sums[i][j] = fmaf(a[i], b[j], sums[i][j]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < SIDE; i++) {
#pragma unroll
    for (int j = 0; j < SIDE; j++) groups[group][row + i][column + j] = sums[i][j];
  }
  __syncthreads();
  for (int at = thread; at < COLUMNS * COLUMNS; at += THREADS) {
    const int c = at / COLUMNS, m = at % COLUMNS;
    if (firstRow + c >= channels || firstColumn + m >= outChannels) continue;
    float sum = 0.0f;
    for (int other = 0; other < GROUPS; other++) sum += groups[other][c][m];
    partial[(part * channels + firstRow + c) * outChannels + firstColumn + m] = sum;
  }
}
