/** CUDA's vector types of 2, 3 and 4 components, aligned as on the device, and their `make_` functions. */
#pragma once

#define PDARTS_VECTORS(type, name, align2, align4)                           \
  struct alignas(align2) name##2 {                                           \
    type x, y;                                                               \
  };                                                                         \
  struct name##3 {                                                           \
    type x, y, z;                                                            \
  };                                                                         \
  struct alignas(align4) name##4 {                                           \
    type x, y, z, w;                                                         \
  };                                                                         \
  inline name##2 make_##name##2(type x, type y) { return {x, y}; }           \
  inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; } \
  inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }

namespace {

PDARTS_VECTORS(float, float, 8, 16)
PDARTS_VECTORS(double, double, 16, 16)
PDARTS_VECTORS(int, int, 8, 16)
PDARTS_VECTORS(unsigned char, uchar, 2, 4)

struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

}  // namespace

#undef PDARTS_VECTORS
