/**
 * Events: moments of a stream, by a clock that is the same each time: a kernel takes a microsecond, a
 * convolution what tests say.
 */

#include <memory>

#include "state.h"
#include "stream.h"

/** The latest recording; a stream that waits holds it even if the event is recorded again. */
struct Recording {
  CUstream_st* stream;
  bool done;
  double milliseconds;
};

struct CUevent_st {
  bool timed;
  std::shared_ptr<Recording> recording;
};

namespace emulator {

namespace {

void finish(const Recording& recording) {
  if (!recording.done) finishStream(*recording.stream);
}

CUresult record(CUevent event, CUstream handle) {
  CUstream_st* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture != CU_STREAM_CAPTURE_STATUS_NONE) {
    stream->capture = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
    return explained(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "no events in a captured stream");
  }
  const auto recording = std::make_shared<Recording>(Recording{stream, false, 0});
  event->recording = recording;
  return enqueue(handle, [recording] {
    recording->done = true;
    recording->milliseconds = 1e-3 * static_cast<double>(counts.launches) + algorithmTime;
  });
}

}  // namespace

}  // namespace emulator

using emulator::call;
using emulator::Needs;

extern "C" {

CUresult cuEventCreate(CUevent* event, unsigned flags) {
  return call(Needs::context, [&] {
    *event = new CUevent_st{!(flags & CU_EVENT_DISABLE_TIMING), nullptr};
    return CUDA_SUCCESS;
  });
}

CUresult cuEventDestroy(CUevent event) {
  return call(Needs::context, [&] {
    delete event;
    return CUDA_SUCCESS;
  });
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
  return call(Needs::context, [&] { return emulator::record(event, stream); });
}

CUresult cuEventSynchronize(CUevent event) {
  return call(Needs::contextOutsideCapture, [&] {
    if (event->recording) emulator::finish(*event->recording);
    return emulator::lostContext();
  });
}

/** In deferred mode the first query finds the event not ready, and lets the device get there. */
CUresult cuEventQuery(CUevent event) {
  return call(Needs::contextOutsideCapture, [&] {
    if (!event->recording || event->recording->done) return CUDA_SUCCESS;
    emulator::finish(*event->recording);
    const CUresult status = emulator::lostContext();
    return status == CUDA_SUCCESS ? CUDA_ERROR_NOT_READY : status;
  });
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  return call(Needs::context, [&] {
    const auto recording = event->recording;
    if (!recording) return CUDA_SUCCESS;
    return emulator::enqueue(stream, [recording] { emulator::finish(*recording); });
  });
}

CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  return call(Needs::context, [&] {
    if (!start->timed || !end->timed || !start->recording || !end->recording) {
      return CUDA_ERROR_INVALID_HANDLE;
    }
    if (!start->recording->done || !end->recording->done) return CUDA_ERROR_NOT_READY;
    *milliseconds = static_cast<float>(end->recording->milliseconds - start->recording->milliseconds);
    return CUDA_SUCCESS;
  });
}

#ifdef cuEventElapsedTime
#undef cuEventElapsedTime
/** The name that drivers of CUDA 12 have. */
CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  return cuEventElapsedTime_v2(milliseconds, start, end);
}
#endif

}
