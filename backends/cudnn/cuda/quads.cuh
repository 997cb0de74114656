// Four neighbouring elements as one value: 16 bytes, the most that a thread loads at a time.

__device__ __forceinline__ float4 operator*(float4 a, float4 b) {
  return make_float4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w);
}
__device__ __forceinline__ float4 operator*(float a, float4 b) {
  return make_float4(a * b.x, a * b.y, a * b.z, a * b.w);
}
__device__ __forceinline__ float4 operator+(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

// Elements from 4 `quad` of the `values` at x, 0 past their end.
__device__ __forceinline__ float4 loadQuad(const float* x, int quad, int values) {
  const int whole = values / 4, rest = values % 4;
  float4 loaded = make_float4(0, 0, 0, 0);
  if (quad < whole) loaded = reinterpret_cast<const float4*>(x)[quad];
  if (rest == 0 || quad != whole) return loaded;
  loaded.x = x[4 * whole];
  if (rest > 1) loaded.y = x[4 * whole + 1];
  if (rest > 2) loaded.z = x[4 * whole + 2];
  return loaded;
}

// The same of bf16: 8 bytes.
__device__ __forceinline__ float4 loadQuad(const Bfloat16* x, int quad, int values) {
  const int whole = values / 4, rest = values % 4;
  float4 loaded = make_float4(0, 0, 0, 0);
  if (quad < whole) {
    const Bfloat16Quad four = reinterpret_cast<const Bfloat16Quad*>(x)[quad];
    return make_float4(four.x, four.y, four.z, four.w);
  }
  if (rest == 0 || quad != whole) return loaded;
  loaded.x = x[4 * whole];
  if (rest > 1) loaded.y = x[4 * whole + 1];
  if (rest > 2) loaded.z = x[4 * whole + 2];
  return loaded;
}

// Stores what loadQuad() loads of floats.
__device__ __forceinline__ void storeQuad(float* x, int quad, int values, float4 stored) {
  const int whole = values / 4, rest = values % 4;
  if (quad < whole) reinterpret_cast<float4*>(x)[quad] = stored;
  if (rest == 0 || quad != whole) return;
  x[4 * whole] = stored.x;
  if (rest > 1) x[4 * whole + 1] = stored.y;
  if (rest > 2) x[4 * whole + 2] = stored.z;
}
