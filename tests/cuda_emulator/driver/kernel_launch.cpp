/** `cuLaunchKernel`: checks, a copy of the arguments, and a place in the stream. */

#include <cstdlib>
#include <cstring>
#include <memory>

#include "launch.h"
#include "module.h"
#include "state.h"
#include "stream.h"

namespace emulator {

namespace {

/** The offset of each argument in a packed buffer, each aligned to its size; at the end the buffer's size. */
std::vector<size_t> packedOffsets(const KernelEntry& kernel) {
  std::vector<size_t> offsets;
  size_t end = 0;
  for (unsigned index = 0; index < kernel.parameterCount; index++) {
    const unsigned bytes = kernel.parameterBytes[index];
    offsets.push_back((end + bytes - 1) / bytes * bytes);
    end = offsets.back() + bytes;
  }
  offsets.push_back(end);
  return offsets;
}

/** A launch's arguments, kept until it runs. */
class Arguments {
 public:
  /** Copies from one pointer for each, or, if given, from one buffer laid out by `packedOffsets`. */
  Arguments(const KernelEntry& kernel, void** parameters, const unsigned char* packed)
      : storage_(kernel.parameterCount) {
    const std::vector<size_t> offsets = packedOffsets(kernel);
    for (unsigned index = 0; index < kernel.parameterCount; index++) {
      const auto* value = packed ? packed + offsets[index] : static_cast<unsigned char*>(parameters[index]);
      storage_[index].assign(value, value + kernel.parameterBytes[index]);
      pointers_.push_back(storage_[index].data());
    }
  }
  Arguments(const Arguments&) = delete;

  void** pointers() { return pointers_.data(); }

 private:
  std::vector<std::vector<unsigned char>> storage_;
  std::vector<void*> pointers_;
};

/** The buffer of `extra`, or null. */
CUresult packedArguments(const KernelEntry& kernel, void** extra, const unsigned char*& packed) {
  packed = nullptr;
  size_t bytes = 0;
  for (; extra && *extra != CU_LAUNCH_PARAM_END; extra += 2) {
    if (*extra == CU_LAUNCH_PARAM_BUFFER_POINTER) packed = static_cast<unsigned char*>(extra[1]);
    if (*extra == CU_LAUNCH_PARAM_BUFFER_SIZE) bytes = *static_cast<size_t*>(extra[1]);
  }
  if (packed && bytes < packedOffsets(kernel).back()) {
    return explained(CUDA_ERROR_INVALID_VALUE, "the buffer of arguments is too short");
  }
  return CUDA_SUCCESS;
}

CUresult checkShape(const CUfunc_st& function, const LaunchShape& shape) {
  const auto refused = [&](const char* why) {
    return explained(CUDA_ERROR_INVALID_VALUE, "kernel " + function.name + ": " + why);
  };
  const unsigned *grid = shape.grid, *block = shape.block;
  if (grid[0] < 1 || grid[1] < 1 || grid[2] < 1) return refused("an empty grid");
  if (grid[0] > 2147483647 || grid[1] > 65535 || grid[2] > 65535) return refused("too large a grid");
  if (block[0] < 1 || block[1] < 1 || block[2] < 1) return refused("an empty block");
  if (block[2] > 64) return refused("more than 64 threads in z");
  const unsigned long long threads = 1ull * block[0] * block[1] * block[2];
  if (threads > function.entry->maxThreads) return refused("more threads than its launch bound or 1024");
  if (shape.dynamicSharedBytes > function.maxDynamicShared) {
    return refused("more dynamic shared memory than allowed");
  }
  return CUDA_SUCCESS;
}

/** Dynamic shared memory, reused by all launches. */
unsigned char* dynamicSharedMemory(size_t bytes) {
  static unsigned char* memory = nullptr;
  static size_t capacity = 0;
  if (bytes > capacity) {
    free(memory);
    capacity = (bytes + 127) / 128 * 128;
    memory = static_cast<unsigned char*>(aligned_alloc(128, capacity));
  }
  return memory;
}

void run(const std::string& name, const KernelEntry& kernel, Arguments& arguments, LaunchShape shape) {
  counts.launches++;
  if (countdownEnds(settings.launchesUntilFailure)) {
    return loseContext(CUDA_ERROR_LAUNCH_FAILED, "a test made kernel " + name + " fail");
  }
  shape.dynamicShared = dynamicSharedMemory(shape.dynamicSharedBytes);
  shape.poisoned = settings.checked;
  const std::string fault = runKernel(kernel, arguments.pointers(), shape);
  if (fault.empty()) return;
  const bool address = fault.find("address") != std::string::npos;
  loseContext(address ? CUDA_ERROR_ILLEGAL_ADDRESS : CUDA_ERROR_LAUNCH_FAILED, "kernel " + name + ": " + fault);
}

CUresult launch(CUfunction function, const LaunchShape& shape, CUstream stream, void** parameters, void** extra) {
  if (!function) return CUDA_ERROR_INVALID_HANDLE;
  const KernelEntry& kernel = *function->entry;
  const unsigned char* packed;
  CUresult status = checkShape(*function, shape);
  if (status == CUDA_SUCCESS) status = packedArguments(kernel, extra, packed);
  if (status != CUDA_SUCCESS) return status;
  if (!packed && !parameters && kernel.parameterCount > 0) return CUDA_ERROR_INVALID_VALUE;
  const auto arguments = std::make_shared<Arguments>(kernel, parameters, packed);
  const std::string name = function->name;
  return enqueue(stream, [=, &kernel] { run(name, kernel, *arguments, shape); });
}

}  // namespace

}  // namespace emulator

extern "C" CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ,
                                   unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
                                   CUstream stream, void** parameters, void** extra) {
  return emulator::call(emulator::Needs::context, [&] {
    const emulator::LaunchShape shape{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, nullptr, sharedBytes, false};
    return emulator::launch(function, shape, stream, parameters, extra);
  });
}
