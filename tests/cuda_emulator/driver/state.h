/**
 * What all calls of the emulated driver share: one lock, one context, one sticky error, and the faults that
 * tests inject.
 */
#pragma once

#include <cuda.h>

#include <cstddef>
#include <mutex>
#include <string>

namespace emulator {

/** Faults and modes; set by the environment at `cuInit` and by the functions of faults.cpp. */
struct Settings {
  size_t memoryBytes = size_t{8} << 30;
  /** Counts down; the call that reaches 0 fails. Negative: none does. */
  long allocationsUntilFailure = -1;
  long launchesUntilFailure = -1;
  /** Memory begins as NaNs, and kernels that leave their allocation fault. */
  bool checked = false;
  /** Work waits until the host synchronises, as it may on a device. */
  bool deferred = false;
  /** Of deferred work, that of streams which the host does not wait for comes first. */
  bool othersFirst = false;
  /** What a convolution by each of cuDNN's two algorithms is said to take. */
  double algorithmMilliseconds[2] = {0.01, 0.02};
};

/** What tests count; all but `liveBytes` and `liveAllocations` only grow. */
struct Counts {
  unsigned long long launches, libraryCalls, copies, graphLaunches;
  unsigned long long allocations, liveAllocations, liveBytes, peakBytes;
};

extern Settings settings;
extern Counts counts;
/** The time that convolutions are said to have taken so far. */
extern double algorithmTime;
extern std::recursive_mutex callLock;

/** True once in a countdown's life, when it reaches 0. */
bool countdownEnds(long& countdown);

/** The error that every call returns once the context is lost, or `CUDA_SUCCESS`. */
CUresult lostContext();
/** Loses the context: `detail` follows the error's text in `cuGetErrorString`. */
void loseContext(CUresult error, const std::string& detail);
/** Makes the context usable again. */
void restoreContext();
/** Says more about the next `cuGetErrorString` of this error; returns the error. */
CUresult explained(CUresult error, const std::string& detail);

/** The last is for calls that end a capture under way as failed: they wait, allocate or load. */
enum class Needs { initialised, context, contextOutsideCapture };

/** `CUDA_SUCCESS` if a call may go on, else its error. */
CUresult mayCall(Needs needs);
void initialise();

/** The calling thread's context. */
extern thread_local CUcontext currentContext;

/** Runs the body of a call under the lock, unless the state forbids the call. */
template <class Body>
CUresult call(Needs needs, Body body) {
  const std::lock_guard<std::recursive_mutex> guard(callLock);
  const CUresult status = mayCall(needs);
  return status == CUDA_SUCCESS ? body() : status;
}

}  // namespace emulator
