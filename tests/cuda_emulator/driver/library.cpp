/**
 * How the emulated cuDNN and cuBLAS put their work on a stream and check the addresses they are given.
 */

#include "library.h"

#include "memory.h"
#include "state.h"
#include "stream.h"

extern "C" {

void emulatorSpend(int algorithm) {
  const std::lock_guard<std::recursive_mutex> guard(emulator::callLock);
  emulator::algorithmTime += emulator::settings.algorithmMilliseconds[algorithm];
}

int emulatorAllocated(const void* address, size_t bytes) {
  const std::lock_guard<std::recursive_mutex> guard(emulator::callLock);
  return emulator::allocated(reinterpret_cast<CUdeviceptr>(address), bytes);
}

int emulatorEnqueue(void* stream, void (*run)(void*), void (*destroy)(void*), void* work) {
  const std::shared_ptr<void> owner(work, destroy);
  return emulator::call(emulator::Needs::context, [&] {
    return emulator::enqueue(static_cast<CUstream>(stream), [=] {
      emulator::counts.libraryCalls++;
      run(owner.get());
    });
  });
}

}
