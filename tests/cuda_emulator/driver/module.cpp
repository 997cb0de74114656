/** Loading of what the emulated NVRTC made: a library compiled from the kernels' translated source. */

#include "module.h"

#include <dlfcn.h>

#include "../nvrtc/compile.h"
#include "state.h"

namespace emulator {

namespace {

CUresult load(CUmodule* module, const char* image) {
  if (!image || !isImage(image)) {
    return explained(CUDA_ERROR_INVALID_IMAGE, "not an image of the emulated NVRTC");
  }
  const Compilation compiled = compileImage(image);
  if (compiled.library.empty()) return explained(CUDA_ERROR_INVALID_IMAGE, compiled.log);
  void* library = dlopen(compiled.library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return explained(CUDA_ERROR_INVALID_IMAGE, dlerror());
  *module = new CUmod_st{library, {}};
  return CUDA_SUCCESS;
}

CUresult getFunction(CUfunction* function, CUmodule module, const char* name) {
  for (const CUfunction known : module->functions) {
    if (known->name == name) {
      *function = known;
      return CUDA_SUCCESS;
    }
  }
  const void* entry = dlsym(module->library, (std::string("pdartsKernel_") + name).c_str());
  if (!entry) return explained(CUDA_ERROR_NOT_FOUND, std::string("no kernel \"") + name + "\" in the module");
  *function = new CUfunc_st{name, module, static_cast<const KernelEntry*>(entry)};
  module->functions.push_back(*function);
  return CUDA_SUCCESS;
}

}  // namespace

}  // namespace emulator

using emulator::call;
using emulator::Needs;

extern "C" {

CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  return call(Needs::contextOutsideCapture,
              [&] { return emulator::load(module, static_cast<const char*>(image)); });
}

CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned, CUjit_option*, void**) {
  return cuModuleLoadData(module, image);
}

CUresult cuModuleUnload(CUmodule module) {
  return call(Needs::contextOutsideCapture, [&] {
    for (const CUfunction function : module->functions) delete function;
    dlclose(module->library);
    delete module;
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  return call(Needs::context, [&] { return emulator::getFunction(function, module, name); });
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  return call(Needs::context, [&] {
    if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) return CUDA_SUCCESS;
    if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_ERROR_INVALID_VALUE;
    int most = 0;
    cuDeviceGetAttribute(&most, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 0);
    if (value < 0 || value > most) return CUDA_ERROR_INVALID_VALUE;
    function->maxDynamicShared = value;
    return CUDA_SUCCESS;
  });
}

CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction function) {
  return call(Needs::context, [&] {
    switch (attribute) {
      case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
        *value = function->entry->maxThreads;
        return CUDA_SUCCESS;
      case CU_FUNC_ATTRIBUTE_NUM_REGS:
        *value = 32;
        return CUDA_SUCCESS;
      case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
        *value = function->maxDynamicShared;
        return CUDA_SUCCESS;
      default:
        return CUDA_ERROR_INVALID_VALUE;
    }
  });
}

}
