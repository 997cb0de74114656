/**
 * CUDA C as C++: what NVRTC defines without any header, for a kernel's translated source.
 *
 * Everything is in one unnamed namespace with the source behind it, so that the functions here hide the C
 * library's of the same name. What CUDA C does not have is in `emulator`. No header of the C library is included: a kernel that needs one would
 * fail under NVRTC, and has to fail here.
 */
#pragma once

#include "abi.h"

#define __global__ __attribute__((always_inline)) inline
#define __device__
#define __host__
#define __constant__
// One section of its own, so that a launch can poison it.
#define __shared__ static __attribute__((section("pdarts_shared")))
#define __forceinline__ __attribute__((always_inline)) inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define __align__(bytes) alignas(bytes)
#define __CUDACC__
#define __CUDACC_RTC__

using size_t = decltype(sizeof 0);

namespace {

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
constexpr int warpSize = 32;

}  // namespace

namespace emulator {

namespace {

unsigned char* dynamicShared;

}  // namespace

}  // namespace emulator

#include "vector_types.h"
#include "arithmetic.h"
#include "synchronisation.h"
#include "launcher.h"
