/**
 * What the emulated driver offers to the emulated cuDNN and cuBLAS.
 *
 * Statuses are the driver's: 0, or why the device cannot take the work.
 */
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

extern "C" {
/** Lets the device's clock go on by what the algorithm is said to take. */
void emulatorSpend(int algorithm);
/** Whether all the bytes lie in one allocation of the device. */
int emulatorAllocated(const void* address, size_t bytes);
/** Runs `run(work)` when the stream gets there, each time a graph with it is launched; then destroys it. */
int emulatorEnqueue(void* stream, void (*run)(void*), void (*destroy)(void*), void* work);
}

namespace emulator {

/** Puts a callable on the stream. */
template <class Work>
int enqueueWork(void* stream, Work work) {
  return emulatorEnqueue(
      stream, [](void* held) { (*static_cast<Work*>(held))(); },
      [](void* held) { delete static_cast<Work*>(held); }, new Work(std::move(work)));
}

}  // namespace emulator
