/** From preprocessed CUDA C to C++ that compiles with the shim. */
#pragma once

#include <string>

namespace emulator {

/**
 * The source with its kernels exported: `extern "C"` kernels lose their linkage (the shim exports an entry
 * instead), arrays of dynamic shared memory become pointers, `#pragma unroll` becomes GCC's.
 */
std::string translate(const std::string& preprocessed);

}  // namespace emulator
