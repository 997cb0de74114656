/** The device's allocations. */
#pragma once

#include <cuda.h>

#include <cstddef>
#include <string>

namespace emulator {

/** Whether all the bytes lie in one allocation. */
bool allocated(CUdeviceptr address, size_t bytes);

/** Frees all of it, as the end of a context does. */
void releaseAllMemory();

/** Whether all the bytes of the host lie in one block of pinned memory. */
bool pinned(const void* address, size_t bytes);

/** "16 bytes at byte 8 of an allocation of 12", for errors. */
std::string describeRange(CUdeviceptr address, size_t bytes);

}  // namespace emulator
