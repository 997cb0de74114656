// The product of matrices, [rows, inner] by [inner, columns], for a batch of them: 16 x 16 results a
// block, a result a thread, from tiles of both in shared memory. For the classifier, which is small.
// Either matrix may be stored transposed; a batch step of 0 uses one matrix for the whole batch.

const int TILE = 16;

extern "C" __global__ void __launch_bounds__(256) matMul(
    const float* a, const float* b, float* y, int rows, int inner, int columns, int aTransposed,
    int bTransposed, int aBatch, int bBatch) {
  __shared__ float left[TILE][TILE + 1], right[TILE][TILE + 1];
  const int x = threadIdx.x % TILE, z = threadIdx.x / TILE;
  const int row = blockIdx.x * TILE + z, column = blockIdx.y * TILE + x;
  a += (long long)blockIdx.z * aBatch;
  b += (long long)blockIdx.z * bBatch;
  float sum = 0;
  for (int first = 0; first < inner; first += TILE) {
    const int i = first + x, j = first + z;
    left[z][x] = row < rows && i < inner ? a[aTransposed ? i * rows + row : row * inner + i] : 0;
    right[z][x] =
        j < inner && column < columns ? b[bTransposed ? column * inner + j : j * columns + column] : 0;
    __syncthreads();
    #pragma unroll
    for (int k = 0; k < TILE; k++) sum += left[z][k] * right[k][x];
    __syncthreads();
  }
  if (row < rows && column < columns) {
    y[((long long)blockIdx.z * rows + row) * columns + column] = sum;
  }
}
