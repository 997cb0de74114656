/**
 * What a compiled kernel and the emulated driver agree on.
 *
 * The driver finds one `KernelEntry` per kernel in a module's library, under the name
 * `pdartsKernel_<name>`. Threads that meet at barriers run on the driver's fibers; a kernel without
 * barriers is a plain loop and calls none of the functions below.
 */
#pragma once

namespace emulator {

struct LaunchShape {
  unsigned grid[3];
  unsigned block[3];
  unsigned char* dynamicShared;
  unsigned dynamicSharedBytes;
  /** Shared memory is filled with NaNs before each block. */
  bool poisoned;
};

struct KernelEntry {
  unsigned parameterCount;
  /** Bytes of each parameter; each is aligned to its own size. */
  const unsigned* parameterBytes;
  /** The block size of `__launch_bounds__`, or 1024. */
  unsigned maxThreads;
  void (*run)(void** arguments, const LaunchShape& shape);
};

/** What `emulatorNextThread` returns when all threads of the block have begun. */
constexpr unsigned noThread = ~0u;
/** The source lane of `emulatorExchange` that asks for the ballot. */
constexpr unsigned ballotSource = 32;

}  // namespace emulator

extern "C" {
/** Runs a block: `begin(argument)` is called on as many fibers as there are threads waiting at once. */
void emulatorRunBlock(void (*begin)(void*), void* argument, unsigned threads);
/** The next thread that has not begun, now the fiber's; or `noThread`. */
unsigned emulatorNextThread();
void emulatorThreadEnds(unsigned thread);
/** Waits for all threads of the block that have not ended. */
void emulatorBarrier(unsigned thread);
/**
 * Waits for the lanes of `mask` and returns the value that lane `source` gave, or, for `ballotSource`,
 * the lanes whose values were not zero. Of a lane that does not take part the value is all ones: NaN.
 */
unsigned long long emulatorExchange(unsigned thread, unsigned mask, unsigned long long value, unsigned source);
}
