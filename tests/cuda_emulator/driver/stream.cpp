/** Streams and their order. */

#include "stream.h"

#include <set>

#include "state.h"

namespace emulator {

namespace {

CUstream_st defaultStream;
std::set<CUstream_st*> streams{&defaultStream};

}  // namespace

CUstream_st* streamOf(CUstream handle) {
  const bool isDefault = handle == nullptr || handle == CU_STREAM_LEGACY || handle == CU_STREAM_PER_THREAD;
  CUstream_st* stream = isDefault ? &defaultStream : handle;
  return streams.count(stream) ? stream : nullptr;
}

namespace {

void drain(CUstream_st& stream) {
  while (!stream.queue.empty()) {
    const Operation operation = std::move(stream.queue.front());
    stream.queue.pop_front();
    if (lostContext() == CUDA_SUCCESS) operation();
  }
}

/** While others go first, what they wait for follows from their own queues alone. */
bool othersGo = false;

}  // namespace

void finishStream(CUstream_st& stream) {
  if (settings.othersFirst && !othersGo) {
    othersGo = true;
    for (CUstream_st* other : streams) {
      if (other != &stream) drain(*other);
    }
    othersGo = false;
  }
  drain(stream);
}

void finishAllWork() {
  for (CUstream_st* stream : streams) finishStream(*stream);
}

bool invalidateCaptures() {
  bool any = false;
  for (CUstream_st* stream : streams) {
    if (stream->capture == CU_STREAM_CAPTURE_STATUS_NONE) continue;
    if (stream->captureMode == CU_STREAM_CAPTURE_MODE_RELAXED) continue;
    stream->capture = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
    any = true;
  }
  return any;
}

namespace {

/** The default stream waits for the blocking ones, and they for it. */
void finishWhatPrecedes(CUstream_st& stream) {
  if (!stream.blocking) return;
  if (&stream != &defaultStream) return finishStream(defaultStream);
  for (CUstream_st* other : streams) {
    if (other != &stream && other->blocking) finishStream(*other);
  }
}

CUresult synchronise(CUstream_st& stream) {
  if (stream.capture != CU_STREAM_CAPTURE_STATUS_NONE) {
    stream.capture = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  finishWhatPrecedes(stream);
  finishStream(stream);
  return lostContext();
}

}  // namespace

CUresult enqueue(CUstream handle, Operation operation) {
  CUstream_st* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture == CU_STREAM_CAPTURE_STATUS_INVALIDATED) {
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  }
  if (stream->capture == CU_STREAM_CAPTURE_STATUS_ACTIVE) {
    stream->captured->operations.push_back(std::move(operation));
    return CUDA_SUCCESS;
  }
  if (settings.deferred) {
    finishWhatPrecedes(*stream);
    stream->queue.push_back(std::move(operation));
  } else {
    finishAllWork();
    operation();
  }
  return CUDA_SUCCESS;
}

}  // namespace emulator

using emulator::call;
using emulator::Needs;

extern "C" {

CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
  return call(Needs::context, [&] {
    *stream = new CUstream_st;
    (*stream)->blocking = !(flags & CU_STREAM_NON_BLOCKING);
    emulator::streams.insert(*stream);
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int) {
  return cuStreamCreate(stream, flags);
}

CUresult cuStreamDestroy(CUstream stream) {
  return call(Needs::context, [&] {
    if (!emulator::streams.count(stream) || stream == &emulator::defaultStream) {
      return CUDA_ERROR_INVALID_HANDLE;
    }
    emulator::finishStream(*stream);
    emulator::streams.erase(stream);
    delete stream;
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamSynchronize(CUstream handle) {
  return call(Needs::context, [&] {
    CUstream_st* stream = emulator::streamOf(handle);
    return stream ? emulator::synchronise(*stream) : CUDA_ERROR_INVALID_HANDLE;
  });
}

CUresult cuStreamQuery(CUstream handle) {
  return call(Needs::context, [&] {
    CUstream_st* stream = emulator::streamOf(handle);
    if (!stream) return CUDA_ERROR_INVALID_HANDLE;
    const bool ready = stream->queue.empty();
    const CUresult status = emulator::synchronise(*stream);
    return status == CUDA_SUCCESS && !ready ? CUDA_ERROR_NOT_READY : status;
  });
}

CUresult cuCtxSynchronize(void) {
  return call(Needs::contextOutsideCapture, [&] {
    emulator::finishAllWork();
    return emulator::lostContext();
  });
}

}
