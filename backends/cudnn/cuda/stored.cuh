// How results of branches are kept until their gradients: as floats, or as bf16 where the host says so,
// see bf16_storage.ts. Text in front of modules that read or write them; arithmetic is in float always.

// The upper half of a float, 8 bits of precision: rounded to nearest, ties to even; NaN stays NaN.
struct Bfloat16 {
  unsigned short bits;

  Bfloat16() = default;

  __device__ Bfloat16(float value) {
    const unsigned int word = __float_as_uint(value);
    const unsigned int rounded = word + 0x7fffu + (word >> 16 & 1u);
    bits = (unsigned short)((value == value ? rounded : word | 0x400000u) >> 16);
  }

  __device__ operator float() const { return __uint_as_float((unsigned int)bits << 16); }
};

// Four of them as one value of 8 bytes.
struct alignas(8) Bfloat16Quad {
  Bfloat16 x, y, z, w;
};

// As kernels/stored.ts replaces it.
using Stored = float;

// The gradient before the batch norm of a result y, [pixels, channels]: dy + b y + c by channel, where
// `coefficients` is [b, c]; dy itself where it is null.
struct Incoming {
  const float* dy;
  const Stored* y;
  const float* coefficients;
  int channels;

  __device__ float operator()(size_t pixel, int c) const {
    const size_t at = pixel * channels + c;
    if (!coefficients) return dy[at];
    return fmaf(coefficients[c], (float)y[at], dy[at] + coefficients[channels + c]);
  }
};
