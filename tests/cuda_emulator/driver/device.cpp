/** The one device and its primary context. */

#include <cstdio>
#include <cstring>
#include <map>

#include "memory.h"
#include "state.h"
#include "stream.h"

struct CUctx_st {
  int references = 0;
};

namespace emulator {

namespace {

CUctx_st primaryContext;

// An H100's, but for the multiprocessors: few, so that launches sized by them stay small.
const std::map<CUdevice_attribute, int> attributes{
    {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 9},
    {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0},
    {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 4},
    {CU_DEVICE_ATTRIBUTE_WARP_SIZE, 32},
    {CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024},
    {CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, 2048},
    {CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR, 32},
    {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X, 1024},
    {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y, 1024},
    {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z, 64},
    {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, 2147483647},
    {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, 65535},
    {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, 65535},
    {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, 49152},
    {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 232448},
    {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, 233472},
    {CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK, 65536},
    {CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY, 65536},
    {CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, 52428800},
    {CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 1980000},
    {CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 2619000},
    {CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 5120},
    {CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT, 3},
    {CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS, 1},
    {CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING, 1},
    {CU_DEVICE_ATTRIBUTE_COMPUTE_MODE, CU_COMPUTEMODE_DEFAULT},
};

}  // namespace

}  // namespace emulator

using emulator::call;
using emulator::currentContext;
using emulator::Needs;

extern "C" {

CUresult cuInit(unsigned) {
  const std::lock_guard<std::recursive_mutex> guard(emulator::callLock);
  emulator::initialise();
  return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int* version) {
  *version = CUDA_VERSION;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int* count) {
  return call(Needs::initialised, [&] {
    *count = 1;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  return call(Needs::initialised, [&] {
    *device = 0;
    return ordinal == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
  });
}

CUresult cuDeviceGetName(char* name, int bytes, CUdevice) {
  return call(Needs::initialised, [&] {
    snprintf(name, bytes, "emulated CUDA device");
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice) {
  return call(Needs::initialised, [&] {
    memset(uuid->bytes, 0, sizeof uuid->bytes);
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceTotalMem(size_t* bytes, CUdevice) {
  return call(Needs::initialised, [&] {
    *bytes = emulator::settings.memoryBytes;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice) {
  return call(Needs::initialised, [&] {
    const auto found = emulator::attributes.find(attribute);
    if (found == emulator::attributes.end()) {
      const std::string number = std::to_string(attribute);
      return emulator::explained(CUDA_ERROR_INVALID_VALUE, "attribute " + number + " is not emulated");
    }
    *value = found->second;
    return CUDA_SUCCESS;
  });
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice) {
  return call(Needs::initialised, [&] {
    emulator::primaryContext.references++;
    *context = &emulator::primaryContext;
    return CUDA_SUCCESS;
  });
}

/** The last of its owners ends the context, even a lost one, and with it all memory. */
CUresult cuDevicePrimaryCtxRelease(CUdevice) {
  const std::lock_guard<std::recursive_mutex> guard(emulator::callLock);
  if (emulator::primaryContext.references == 0) return CUDA_ERROR_INVALID_CONTEXT;
  if (--emulator::primaryContext.references == 0) {
    emulator::finishAllWork();
    emulator::releaseAllMemory();
  }
  return emulator::lostContext();
}

CUresult cuCtxSetCurrent(CUcontext context) {
  return call(Needs::initialised, [&] {
    currentContext = context;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetCurrent(CUcontext* context) {
  return call(Needs::initialised, [&] {
    *context = currentContext;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetDevice(CUdevice* device) {
  return call(Needs::context, [&] {
    *device = 0;
    return CUDA_SUCCESS;
  });
}

}
