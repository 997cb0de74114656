// tfjs's own ops on single values, float32: a result a thread, every value read and written once.
// Which op is an argument, the same for all threads; its names, such as NEG, are defined in front.

extern "C" __global__ void unary(const float* x, float* y, int elements, int op) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= elements) return;
  const float v = x[at];
  float result = v;
  switch (op) {
    case NEG: result = -v; break;
    case RSQRT: result = 1.0f / sqrtf(v); break;
    case SQRT: result = sqrtf(v); break;
    case SQUARE: result = v * v; break;
    case RELU: result = v < 0.0f ? 0.0f : v; break;
  }
  y[at] = result;
}

// Shapes are [d0, d1, d2, d3]; an input's step along an axis is 0 where it has one value for all.
extern "C" __global__ void binary(
    const float* a, const float* b, float* y, int elements, int op, int d1, int d2, int d3,
    int a0, int a1, int a2, int a3, int b0, int b1, int b2, int b3) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= elements) return;
  const int i3 = at % d3, i2 = at / d3 % d2, i1 = at / d3 / d2 % d1, i0 = at / d3 / d2 / d1;
  const float left = a[i0 * a0 + i1 * a1 + i2 * a2 + i3 * a3];
  const float right = b[i0 * b0 + i1 * b1 + i2 * b2 + i3 * b3];
  float result = 0;
  switch (op) {
    case ADD: result = left + right; break;
    case SUB: result = left - right; break;
    case MULTIPLY: result = left * right; break;
    case REAL_DIV: result = left / right; break;
  }
  y[at] = result;
}
