/**
 * What a test can ask of the emulator beyond CUDA's calls: faults, modes and counts.
 *
 * The functions act from the next call on. The variables of the same meaning, for processes that a test
 * starts, are read when the library is loaded:
 *
 *   PDARTS_EMULATOR_MEMORY_BYTES=n      cuMemAlloc fails beyond n bytes (8 GiB)
 *   PDARTS_EMULATOR_FAIL_ALLOCATION=n   the n-th cuMemAlloc fails, counted from 1
 *   PDARTS_EMULATOR_FAIL_LAUNCH=n       the n-th kernel fails when it runs, and the context is lost
 *   PDARTS_EMULATOR_CHECKED=1           memory begins as NaNs; leaving an allocation is a fault
 *   PDARTS_EMULATOR_DEFERRED=1          work runs when the host synchronises, as late as events allow
 *   PDARTS_EMULATOR_DEFERRED=2          the same, that of other streams as early as they allow
 */

#include <cstdlib>

#include "state.h"

namespace emulator {

namespace {

long variable(const char* name, long otherwise) {
  const char* text = getenv(name);
  return text && *text ? atol(text) : otherwise;
}

Settings settingsOfEnvironment() {
  Settings result;
  result.memoryBytes = variable("PDARTS_EMULATOR_MEMORY_BYTES", result.memoryBytes);
  result.allocationsUntilFailure = variable("PDARTS_EMULATOR_FAIL_ALLOCATION", 0) - 1;
  result.launchesUntilFailure = variable("PDARTS_EMULATOR_FAIL_LAUNCH", 0) - 1;
  result.checked = variable("PDARTS_EMULATOR_CHECKED", 0) != 0;
  result.deferred = variable("PDARTS_EMULATOR_DEFERRED", 0) != 0;
  result.othersFirst = variable("PDARTS_EMULATOR_DEFERRED", 0) == 2;
  return result;
}

}  // namespace

Settings settings = settingsOfEnvironment();

}  // namespace emulator

extern "C" {

using emulator::callLock;
using Guard = std::lock_guard<std::recursive_mutex>;

/** A device as a new process finds it, but for what is still allocated. */
void pdartsEmulatorReset() {
  const Guard guard(callLock);
  emulator::settings = emulator::settingsOfEnvironment();
  emulator::restoreContext();
  const emulator::Counts before = emulator::counts;
  emulator::counts = {};
  emulator::counts.liveAllocations = before.liveAllocations;
  emulator::counts.liveBytes = emulator::counts.peakBytes = before.liveBytes;
}

void pdartsEmulatorSetMemoryBytes(unsigned long long bytes) {
  const Guard guard(callLock);
  emulator::settings.memoryBytes = bytes;
}

/** The n-th allocation from now fails; 0: none. */
void pdartsEmulatorFailAllocation(int n) {
  const Guard guard(callLock);
  emulator::settings.allocationsUntilFailure = n - 1;
}

/** The n-th kernel from now fails; 0: none. */
void pdartsEmulatorFailLaunch(int n) {
  const Guard guard(callLock);
  emulator::settings.launchesUntilFailure = n - 1;
}

/** Every call fails from now on, as when the card has fallen off the bus. */
void pdartsEmulatorLoseDevice() {
  const Guard guard(callLock);
  emulator::loseContext(CUDA_ERROR_UNKNOWN, "a test took the device away");
}

void pdartsEmulatorSetChecked(int checked) {
  const Guard guard(callLock);
  emulator::settings.checked = checked != 0;
}

void pdartsEmulatorSetDeferred(int deferred) {
  const Guard guard(callLock);
  emulator::settings.deferred = deferred != 0;
  emulator::settings.othersFirst = deferred == 2;
}

/** What a convolution by one of cuDNN's algorithms, 0 or 1, takes on the device's clock from now on. */
void pdartsEmulatorSetAlgorithmTime(int algorithm, double milliseconds) {
  const Guard guard(callLock);
  emulator::settings.algorithmMilliseconds[algorithm] = milliseconds;
}

/** Copies the counts, in the order of `Counts` in state.h. */
void pdartsEmulatorGetCounts(emulator::Counts* result) {
  const Guard guard(callLock);
  *result = emulator::counts;
}

}
