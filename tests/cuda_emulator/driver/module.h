/** Modules and their kernels. */
#pragma once

#include <cuda.h>

#include <string>
#include <vector>

#include "../shim/abi.h"

struct CUfunc_st {
  std::string name;
  CUmodule module;
  const emulator::KernelEntry* entry;
  /** What `cuFuncSetAttribute` allowed beyond the default. */
  unsigned maxDynamicShared = 49152;
};

struct CUmod_st {
  void* library;
  std::vector<CUfunction> functions;
};
