// tfjs's own ops on single values: a result a thread, every value read and written once, the floor.
//
// Which op is an argument, the same for all threads: UNARY_CASES and BINARY_CASES, defined in front,
// are the cases of a switch.

extern "C" __global__ void unary(const float* x, float* y, int elements, int op) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= elements) return;
  const float v = x[at];
  float result = 0;
  switch (op) { UNARY_CASES }
  y[at] = result;
}

// Shapes are [_, d1, d2, d3]; an input's step along an axis is 0 where it has one value for all.
extern "C" __global__ void binary(
    const float* x, const float* y, float* z, int elements, int op, int d1, int d2, int d3,
    int x0, int x1, int x2, int x3, int y0, int y1, int y2, int y3) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= elements) return;
  const int i3 = at % d3, i2 = at / d3 % d2, i1 = at / d3 / d2 % d1, i0 = at / d3 / d2 / d1;
  const float a = x[i0 * x0 + i1 * x1 + i2 * x2 + i3 * x3];
  const float b = y[i0 * y0 + i1 * y1 + i2 * y2 + i3 * y3];
  float result = 0;
  switch (op) { BINARY_CASES }
  z[at] = result;
}

extern "C" __global__ void fill(float* y, int elements, float value) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at < elements) y[at] = value;
}

extern "C" __global__ void intToFloat(const int* x, float* y, int elements) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at < elements) y[at] = (float)x[at];
}

extern "C" __global__ void boolToFloat(const unsigned char* x, float* y, int elements) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at < elements) y[at] = x[at];
}

extern "C" __global__ void boolToInt(const unsigned char* x, int* y, int elements) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at < elements) y[at] = x[at];
}
