/**
 * The device's mathematical functions and intrinsics.
 *
 * Approximate ones (`__expf`, `rsqrtf`) are exact here: a kernel's tolerance has to come from a device.
 */
#pragma once

namespace emulator {

namespace {

/** Keeps a value from being contracted into a multiply-add, as the `_rn` intrinsics promise. */
inline float uncontracted(float x) {
  asm("" : "+x"(x));
  return x;
}

template <class To, class From>
inline To bitsAs(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  __builtin_memcpy(&result, &value, sizeof result);
  return result;
}

}  // namespace

}  // namespace emulator

namespace {

#define PDARTS_UNARY(name)                                            \
  inline float name##f(float x) { return __builtin_##name##f(x); }    \
  inline float name(float x) { return __builtin_##name##f(x); }       \
  inline double name(double x) { return __builtin_##name(x); }

PDARTS_UNARY(sqrt)
PDARTS_UNARY(exp)
PDARTS_UNARY(exp2)
PDARTS_UNARY(expm1)
PDARTS_UNARY(log)
PDARTS_UNARY(log2)
PDARTS_UNARY(log10)
PDARTS_UNARY(log1p)
PDARTS_UNARY(sin)
PDARTS_UNARY(cos)
PDARTS_UNARY(tan)
PDARTS_UNARY(asin)
PDARTS_UNARY(acos)
PDARTS_UNARY(atan)
PDARTS_UNARY(sinh)
PDARTS_UNARY(cosh)
PDARTS_UNARY(tanh)
PDARTS_UNARY(asinh)
PDARTS_UNARY(acosh)
PDARTS_UNARY(atanh)
PDARTS_UNARY(erf)
PDARTS_UNARY(floor)
PDARTS_UNARY(ceil)
PDARTS_UNARY(trunc)
PDARTS_UNARY(round)
PDARTS_UNARY(rint)
PDARTS_UNARY(fabs)
#undef PDARTS_UNARY

inline float powf(float x, float y) { return __builtin_powf(x, y); }
inline float pow(float x, float y) { return __builtin_powf(x, y); }
inline double pow(double x, double y) { return __builtin_pow(x, y); }
inline float atan2f(float y, float x) { return __builtin_atan2f(y, x); }
inline float fmodf(float x, float y) { return __builtin_fmodf(x, y); }
inline float copysignf(float x, float sign) { return __builtin_copysignf(x, sign); }
inline float fmaf(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline double fma(double x, double y, double z) { return __builtin_fma(x, y, z); }
inline float rsqrtf(float x) { return 1.0f / __builtin_sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / __builtin_sqrt(x); }
inline bool isnan(float x) { return x != x; }
inline bool isnan(double x) { return x != x; }
inline bool isinf(float x) { return __builtin_isinf(x); }
inline bool isinf(double x) { return __builtin_isinf(x); }
inline bool isfinite(float x) { return __builtin_isfinite(x); }
inline bool isfinite(double x) { return __builtin_isfinite(x); }

// Of a number and a NaN the number; written out, since the C library's are calls.
inline float fmaxf(float x, float y) { return y != y || x > y ? x : y; }
inline float fminf(float x, float y) { return y != y || x < y ? x : y; }
inline double fmax(double x, double y) { return y != y || x > y ? x : y; }
inline double fmin(double x, double y) { return y != y || x < y ? x : y; }

#define PDARTS_EXTREMES(type)                                    \
  inline type max(type x, type y) { return x > y ? x : y; }      \
  inline type min(type x, type y) { return x < y ? x : y; }

PDARTS_EXTREMES(int)
PDARTS_EXTREMES(unsigned)
PDARTS_EXTREMES(long)
PDARTS_EXTREMES(unsigned long)
PDARTS_EXTREMES(long long)
PDARTS_EXTREMES(unsigned long long)
#undef PDARTS_EXTREMES
// As CUDA's overloads: a mixed pair is unsigned.
inline unsigned max(unsigned x, int y) { return max(x, static_cast<unsigned>(y)); }
inline unsigned max(int x, unsigned y) { return max(static_cast<unsigned>(x), y); }
inline unsigned min(unsigned x, int y) { return min(x, static_cast<unsigned>(y)); }
inline unsigned min(int x, unsigned y) { return min(static_cast<unsigned>(x), y); }
inline float max(float x, float y) { return fmaxf(x, y); }
inline float min(float x, float y) { return fminf(x, y); }
inline double max(double x, double y) { return fmax(x, y); }
inline double min(double x, double y) { return fmin(x, y); }
inline int abs(int x) { return x < 0 ? -x : x; }
inline float abs(float x) { return __builtin_fabsf(x); }
inline double abs(double x) { return __builtin_fabs(x); }

inline float __expf(float x) { return __builtin_expf(x); }
inline float __logf(float x) { return __builtin_logf(x); }
inline float __log2f(float x) { return __builtin_log2f(x); }
inline float __powf(float x, float y) { return __builtin_powf(x, y); }
inline float __sinf(float x) { return __builtin_sinf(x); }
inline float __cosf(float x) { return __builtin_cosf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return __builtin_sqrtf(x); }
inline float __frsqrt_rn(float x) { return 1.0f / __builtin_sqrtf(x); }
inline float __fmaf_rn(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline float __saturatef(float x) { return fminf(fmaxf(x, 0.0f), 1.0f); }

inline float __fmul_rn(float x, float y) { return emulator::uncontracted(x * y); }
inline float __fadd_rn(float x, float y) { return emulator::uncontracted(emulator::uncontracted(x) + emulator::uncontracted(y)); }
inline float __fsub_rn(float x, float y) { return emulator::uncontracted(emulator::uncontracted(x) - emulator::uncontracted(y)); }

inline int __float_as_int(float x) { return emulator::bitsAs<int>(x); }
inline unsigned __float_as_uint(float x) { return emulator::bitsAs<unsigned>(x); }
inline float __int_as_float(int x) { return emulator::bitsAs<float>(x); }
inline float __uint_as_float(unsigned x) { return emulator::bitsAs<float>(x); }
inline int __float2int_rn(float x) { return static_cast<int>(__builtin_rintf(x)); }
inline int __float2int_rz(float x) { return static_cast<int>(x); }
inline int __float2int_rd(float x) { return static_cast<int>(__builtin_floorf(x)); }
inline unsigned __float2uint_rz(float x) { return static_cast<unsigned>(x); }
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline float __ull2float_rn(unsigned long long x) { return static_cast<float>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __umulhi(unsigned x, unsigned y) {
  return static_cast<unsigned>((static_cast<unsigned long long>(x) * y) >> 32);
}
inline int __mulhi(int x, int y) {
  return static_cast<int>((static_cast<long long>(x) * y) >> 32);
}

template <class T>
inline T __ldg(const T* address) {
  return *address;
}

}  // namespace
