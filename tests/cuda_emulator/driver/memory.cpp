/**
 * Device memory: the host's, with bounds, a limit and exact accounting.
 *
 * In checked mode memory begins as NaNs and ends at a page that nobody may touch, so that a kernel that
 * runs past its buffer (by more than the alignment of 256 bytes) faults; so does one that uses freed
 * memory.
 */

#include "memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "state.h"
#include "stream.h"

namespace emulator {

namespace {

constexpr size_t alignment = 256, page = 4096;

struct Allocation {
  size_t bytes;
  /** The mapping with its guard page; null when it came from the heap. */
  void* mapping;
  size_t mappedBytes;
};

std::map<CUdeviceptr, Allocation> allocations;
/** Bytes of each block of pinned host memory. */
std::map<const char*, size_t> pinnedBlocks;

size_t roundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

/** The allocation that holds the address, or `end()`. */
std::map<CUdeviceptr, Allocation>::iterator find(CUdeviceptr address) {
  auto next = allocations.upper_bound(address);
  if (next == allocations.begin()) return allocations.end();
  const auto found = std::prev(next);
  return address < found->first + found->second.bytes ? found : allocations.end();
}

CUdeviceptr takeFromHeap(size_t bytes, Allocation& allocation) {
  allocation = {bytes, nullptr, 0};
  return reinterpret_cast<CUdeviceptr>(aligned_alloc(alignment, roundUp(bytes, alignment)));
}

CUdeviceptr takeGuarded(size_t bytes, Allocation& allocation) {
  const size_t usable = roundUp(bytes, page), mapped = usable + page;
  void* mapping =
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return 0;
  char* guard = static_cast<char*>(mapping) + usable;
  mprotect(guard, page, PROT_NONE);
  allocation = {bytes, mapping, mapped};
  char* start = guard - roundUp(bytes, alignment);
  memset(start, 0xff, bytes);
  return reinterpret_cast<CUdeviceptr>(start);
}

CUresult allocate(CUdeviceptr* address, size_t bytes) {
  if (!address || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  counts.allocations++;
  if (countdownEnds(settings.allocationsUntilFailure)) {
    return explained(CUDA_ERROR_OUT_OF_MEMORY, "a test made this allocation fail");
  }
  if (counts.liveBytes + bytes > settings.memoryBytes) return CUDA_ERROR_OUT_OF_MEMORY;
  Allocation allocation;
  *address = settings.checked ? takeGuarded(bytes, allocation) : takeFromHeap(bytes, allocation);
  if (!*address) return explained(CUDA_ERROR_OUT_OF_MEMORY, "the host's memory is used up");
  allocations[*address] = allocation;
  counts.liveAllocations++;
  counts.liveBytes += bytes;
  if (counts.liveBytes > counts.peakBytes) counts.peakBytes = counts.liveBytes;
  return CUDA_SUCCESS;
}

CUresult release(CUdeviceptr address) {
  const auto found = allocations.find(address);
  if (found == allocations.end()) return explained(CUDA_ERROR_INVALID_VALUE, "not an allocation's address");
  const Allocation allocation = found->second;
  allocations.erase(found);
  counts.liveAllocations--;
  counts.liveBytes -= allocation.bytes;
  if (allocation.mapping) {
    munmap(allocation.mapping, allocation.mappedBytes);
  } else {
    free(reinterpret_cast<void*>(address));
  }
  return CUDA_SUCCESS;
}

}  // namespace

void releaseAllMemory() {
  while (!allocations.empty()) release(allocations.begin()->first);
}

bool allocated(CUdeviceptr address, size_t bytes) {
  const auto found = find(address);
  return found != allocations.end() && bytes <= found->first + found->second.bytes - address;
}

bool pinned(const void* address, size_t bytes) {
  const char* start = static_cast<const char*>(address);
  const auto next = pinnedBlocks.upper_bound(start);
  if (next == pinnedBlocks.begin()) return false;
  const auto found = std::prev(next);
  return start + bytes <= found->first + found->second;
}

std::string describeRange(CUdeviceptr address, size_t bytes) {
  const auto found = find(address);
  const std::string range = std::to_string(bytes) + " bytes ";
  if (found == allocations.end()) return range + "at an address that is not allocated";
  return range + "at byte " + std::to_string(address - found->first) + " of an allocation of " +
         std::to_string(found->second.bytes);
}

}  // namespace emulator

using emulator::call;
using emulator::Needs;

extern "C" {

CUresult cuMemAlloc(CUdeviceptr* address, size_t bytes) {
  return call(Needs::contextOutsideCapture, [&] { return emulator::allocate(address, bytes); });
}

CUresult cuMemFree(CUdeviceptr address) {
  return call(Needs::contextOutsideCapture, [&] {
    if (address == 0) return CUDA_SUCCESS;
    // As on a device, freeing waits for the work that may use the memory.
    emulator::finishAllWork();
    return emulator::release(address);
  });
}

CUresult cuMemGetInfo(size_t* free, size_t* total) {
  return call(Needs::context, [&] {
    *total = emulator::settings.memoryBytes;
    const size_t used = emulator::counts.liveBytes;
    *free = used < *total ? *total - used : 0;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemGetAddressRange(CUdeviceptr* base, size_t* bytes, CUdeviceptr address) {
  return call(Needs::context, [&] {
    const auto found = emulator::find(address);
    if (found == emulator::allocations.end()) return CUDA_ERROR_NOT_FOUND;
    if (base) *base = found->first;
    if (bytes) *bytes = found->second.bytes;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned) {
  return call(Needs::contextOutsideCapture, [&] {
    *address = bytes ? aligned_alloc(emulator::page, emulator::roundUp(bytes, emulator::page)) : nullptr;
    if (!*address) return CUDA_ERROR_OUT_OF_MEMORY;
    emulator::pinnedBlocks[static_cast<char*>(*address)] = bytes;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAllocHost(void** address, size_t bytes) { return cuMemHostAlloc(address, bytes, 0); }

CUresult cuMemFreeHost(void* address) {
  return call(Needs::contextOutsideCapture, [&] {
    if (!emulator::pinnedBlocks.erase(static_cast<char*>(address))) return CUDA_ERROR_INVALID_VALUE;
    emulator::finishAllWork();
    free(address);
    return CUDA_SUCCESS;
  });
}

}
