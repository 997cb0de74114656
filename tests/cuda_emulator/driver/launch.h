/** One kernel on the calling thread, with its faults caught. */
#pragma once

#include <string>

#include "../shim/abi.h"

namespace emulator {

/** Runs all blocks; returns what went wrong, or an empty text. */
std::string runKernel(const KernelEntry& kernel, void** arguments, const LaunchShape& shape);

/** Ends the kernel under way: called from its threads. */
[[noreturn]] void abortKernel(const char* reason);

/** Takes back the fibers of a kernel that was aborted. */
void resetFibers();

}  // namespace emulator
