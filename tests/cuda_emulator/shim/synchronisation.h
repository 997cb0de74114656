/**
 * Barriers, warp exchanges and fences, on the driver's fibers.
 *
 * `threadIdx` is one variable for all threads: a thread that waits keeps its own and puts it back.
 */
#pragma once

namespace emulator {

namespace {

inline unsigned linearThread() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}

inline unsigned laneOfThread() { return linearThread() % warpSize; }

template <class T>
inline T exchange(unsigned mask, T value, unsigned source) {
  static_assert(sizeof(T) <= sizeof(unsigned long long), "a shuffle moves at most 8 bytes");
  const uint3 self = threadIdx;
  unsigned long long bits = 0;
  __builtin_memcpy(&bits, &value, sizeof value);
  bits = emulatorExchange(linearThread(), mask, bits, source);
  threadIdx = self;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

}  // namespace emulator

namespace {

inline void __syncthreads() {
  const uint3 self = threadIdx;
  emulatorBarrier(emulator::linearThread());
  threadIdx = self;
}

inline void __syncwarp(unsigned mask = 0xffffffffu) { emulator::exchange(mask, 0, emulator::ballotSource); }

inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return static_cast<unsigned>(
      emulator::exchange(mask, static_cast<unsigned long long>(predicate != 0), emulator::ballotSource));
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }

// Lanes whose source lies outside their segment of `width` lanes get their own value.
template <class T>
inline T __shfl_sync(unsigned mask, T value, int lane, int width = warpSize) {
  return emulator::exchange(mask, value, (emulator::laneOfThread() & ~(width - 1)) | (lane & (width - 1)));
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize) {
  const unsigned lane = emulator::laneOfThread();
  const bool inside = (lane & (width - 1)) + delta < static_cast<unsigned>(width);
  return emulator::exchange(mask, value, inside ? lane + delta : lane);
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize) {
  const unsigned lane = emulator::laneOfThread();
  const bool inside = (lane & (width - 1)) >= delta;
  return emulator::exchange(mask, value, inside ? lane - delta : lane);
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int laneMask, int width = warpSize) {
  const unsigned lane = emulator::laneOfThread(), source = lane ^ laneMask;
  const bool inside = source / width <= lane / width && source < warpSize;
  return emulator::exchange(mask, value, inside ? source : lane);
}

// One thread runs at a time, and each sees all that ran before it.
inline void __threadfence() {}
inline void __threadfence_block() {}

}  // namespace
