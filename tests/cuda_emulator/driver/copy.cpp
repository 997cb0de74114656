/**
 * Copies and fills. A range outside one allocation fails the call, or loses the context when replayed.
 *
 * As on a device, a copy from or to host memory that is not pinned is over when the call returns.
 */

#include <cstring>

#include "memory.h"
#include "state.h"
#include "stream.h"

namespace emulator {

namespace {

CUresult outside(CUdeviceptr address, size_t bytes) {
  return explained(CUDA_ERROR_INVALID_VALUE, describeRange(address, bytes));
}

/** A captured operation's memory may have been freed before it runs. */
bool stillAllocated(CUdeviceptr address, size_t bytes) {
  if (allocated(address, bytes)) return true;
  loseContext(CUDA_ERROR_ILLEGAL_ADDRESS, describeRange(address, bytes));
  return false;
}

void* pointer(CUdeviceptr address) { return reinterpret_cast<void*>(address); }

CUresult finishUnlessPinned(const void* host, size_t bytes, CUstream stream) {
  if (pinned(host, bytes)) return CUDA_SUCCESS;
  finishStream(*streamOf(stream));
  return lostContext();
}

CUresult upload(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
  if (bytes == 0) return CUDA_SUCCESS;
  if (!from || !allocated(to, bytes)) return outside(to, bytes);
  const CUresult status = enqueue(stream, [=] {
    counts.copies++;
    if (stillAllocated(to, bytes)) memcpy(pointer(to), from, bytes);
  });
  return status == CUDA_SUCCESS ? finishUnlessPinned(from, bytes, stream) : status;
}

CUresult download(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  if (bytes == 0) return CUDA_SUCCESS;
  if (!to || !allocated(from, bytes)) return outside(from, bytes);
  const CUresult status = enqueue(stream, [=] {
    counts.copies++;
    if (stillAllocated(from, bytes)) memcpy(to, pointer(from), bytes);
  });
  return status == CUDA_SUCCESS ? finishUnlessPinned(to, bytes, stream) : status;
}

CUresult copy(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  if (bytes == 0) return CUDA_SUCCESS;
  if (!allocated(to, bytes)) return outside(to, bytes);
  if (!allocated(from, bytes)) return outside(from, bytes);
  return enqueue(stream, [=] {
    counts.copies++;
    if (stillAllocated(to, bytes) && stillAllocated(from, bytes)) memmove(pointer(to), pointer(from), bytes);
  });
}

template <class Element>
CUresult fill(CUdeviceptr to, Element value, size_t n, CUstream stream) {
  const size_t bytes = n * sizeof(Element);
  if (bytes == 0) return CUDA_SUCCESS;
  if (to % sizeof(Element) != 0 || !allocated(to, bytes)) return outside(to, bytes);
  return enqueue(stream, [=] {
    if (!stillAllocated(to, bytes)) return;
    auto* elements = static_cast<Element*>(pointer(to));
    for (size_t index = 0; index < n; index++) elements[index] = value;
  });
}

/** The forms without a stream wait for what they enqueue. */
template <class Enqueue>
CUresult synchronous(Enqueue enqueueCopy) {
  return call(Needs::contextOutsideCapture, [&] {
    const CUresult status = enqueueCopy();
    if (status != CUDA_SUCCESS) return status;
    finishStream(*streamOf(nullptr));
    return lostContext();
  });
}

}  // namespace

}  // namespace emulator

using namespace emulator;

extern "C" {

CUresult cuMemcpyHtoD(CUdeviceptr to, const void* from, size_t bytes) {
  return synchronous([&] { return upload(to, from, bytes, nullptr); });
}
CUresult cuMemcpyDtoH(void* to, CUdeviceptr from, size_t bytes) {
  return synchronous([&] { return download(to, from, bytes, nullptr); });
}
CUresult cuMemcpyDtoD(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return synchronous([&] { return copy(to, from, bytes, nullptr); });
}
CUresult cuMemsetD8(CUdeviceptr to, unsigned char value, size_t n) {
  return synchronous([&] { return fill(to, value, n, nullptr); });
}
CUresult cuMemsetD32(CUdeviceptr to, unsigned value, size_t n) {
  return synchronous([&] { return fill(to, value, n, nullptr); });
}
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
  return call(Needs::context, [&] { return upload(to, from, bytes, stream); });
}
CUresult cuMemcpyDtoHAsync(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return call(Needs::context, [&] { return download(to, from, bytes, stream); });
}
CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return call(Needs::context, [&] { return copy(to, from, bytes, stream); });
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t n, CUstream stream) {
  return call(Needs::context, [&] { return fill(to, value, n, stream); });
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t n, CUstream stream) {
  return call(Needs::context, [&] { return fill(to, value, n, stream); });
}

}
