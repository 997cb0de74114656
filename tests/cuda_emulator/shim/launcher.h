/**
 * From a kernel to its `KernelEntry`.
 *
 * A kernel without barriers is inlined into a loop over its threads, which the compiler may vectorise;
 * one with barriers runs on fibers.
 */
#pragma once

#include <utility>

extern "C" {
// The bounds of the section of static shared memory; absent in a module that has none.
extern unsigned char __start_pdarts_shared[] __attribute__((weak, visibility("hidden")));
extern unsigned char __stop_pdarts_shared[] __attribute__((weak, visibility("hidden")));
}

namespace emulator {

namespace {

inline void poisonSharedMemory(const LaunchShape& shape) {
  __builtin_memset(dynamicShared, 0xff, shape.dynamicSharedBytes);
  if (__start_pdarts_shared) {
    __builtin_memset(__start_pdarts_shared, 0xff, __stop_pdarts_shared - __start_pdarts_shared);
  }
}

template <class RunBlock>
inline void forEachBlock(const LaunchShape& shape, RunBlock runBlock) {
  gridDim = {shape.grid[0], shape.grid[1], shape.grid[2]};
  blockDim = {shape.block[0], shape.block[1], shape.block[2]};
  dynamicShared = shape.dynamicShared;
  for (unsigned z = 0; z < shape.grid[2]; z++) {
    for (unsigned y = 0; y < shape.grid[1]; y++) {
      for (unsigned x = 0; x < shape.grid[0]; x++) {
        blockIdx = {x, y, z};
        if (shape.poisoned) poisonSharedMemory(shape);
        runBlock();
      }
    }
  }
}

template <auto kernel, bool synchronises>
struct Launcher;

template <class... Parameters, void (*kernel)(Parameters...)>
struct Launcher<kernel, false> {
  static constexpr unsigned parameterBytes[] = {sizeof(Parameters)..., 0};
  static constexpr unsigned parameterCount = sizeof...(Parameters);

  static void launch(const LaunchShape& shape, Parameters... arguments) {
    forEachBlock(shape, [&] {
      const dim3 block = blockDim;
      for (unsigned z = 0; z < block.z; z++) {
        for (unsigned y = 0; y < block.y; y++) {
          for (unsigned x = 0; x < block.x; x++) {
            threadIdx = {x, y, z};
            kernel(arguments...);
          }
        }
      }
    });
  }
};

template <class... Parameters, void (*kernel)(Parameters...)>
struct Launcher<kernel, true> {
  static constexpr unsigned parameterBytes[] = {sizeof(Parameters)..., 0};
  static constexpr unsigned parameterCount = sizeof...(Parameters);

  static void launch(const LaunchShape& shape, Parameters... arguments) {
    auto begin = [&] {
      for (unsigned thread; (thread = emulatorNextThread()) != noThread;) {
        const unsigned row = thread / blockDim.x;
        threadIdx = {thread % blockDim.x, row % blockDim.y, row / blockDim.y};
        kernel(arguments...);
        emulatorThreadEnds(thread);
      }
    };
    const auto call = [](void* begin_) { (*static_cast<decltype(begin)*>(begin_))(); };
    forEachBlock(shape, [&] {
      emulatorRunBlock(call, &begin, blockDim.x * blockDim.y * blockDim.z);
    });
  }
};

constexpr unsigned launchBound(unsigned threads = 1024, unsigned = 0, unsigned = 0) { return threads; }

template <class... Parameters, unsigned long... index>
inline void unpack(
    void (*launch)(const LaunchShape&, Parameters...), void** arguments,
    const LaunchShape& shape, std::integer_sequence<unsigned long, index...>) {
  launch(shape, *static_cast<Parameters*>(arguments[index])...);
}

template <class Launcher>
void runKernel(void** arguments, const LaunchShape& shape) {
  unpack(&Launcher::launch, arguments, shape,
         std::make_integer_sequence<unsigned long, Launcher::parameterCount>{});
}

}  // namespace

}  // namespace emulator

/** Exports a kernel; what follows are the arguments of its `__launch_bounds__`. */
#define PDARTS_KERNEL(name, synchronises, ...)                                 \
  extern "C" __attribute__((visibility("default")))                            \
  const emulator::KernelEntry pdartsKernel_##name{                             \
      emulator::Launcher<name, synchronises>::parameterCount,                            \
      emulator::Launcher<name, synchronises>::parameterBytes, emulator::launchBound(__VA_ARGS__),                     \
      emulator::runKernel<emulator::Launcher<name, synchronises>>};
