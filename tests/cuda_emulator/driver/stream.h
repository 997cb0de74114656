/**
 * Streams: queues of operations that run at once, later, or into a graph.
 *
 * In eager mode an operation runs when it is enqueued. In deferred mode it runs when the host waits for it
 * (or frees memory, as a device then waits too): what reads or overwrites host memory too early gives
 * wrong results here as it does on a device. Streams in no order with each other run in one of two: what the
 * host does not wait for comes last, or first. While a stream is captured its operations become nodes of a
 * graph instead.
 */
#pragma once

#include <cuda.h>

#include <deque>
#include <functional>
#include <vector>

namespace emulator {

using Operation = std::function<void()>;

/** Runs, queues or captures an operation of a stream. */
CUresult enqueue(CUstream stream, Operation operation);

/** Runs all that is queued on the stream, and all that it waits for. */
void finishStream(CUstream_st& stream);
void finishAllWork();

/** The object behind a handle, which may be one of CUDA's constants for the default stream. */
CUstream_st* streamOf(CUstream handle);

/** Ends every global capture under way as failed; whether there was one. */
bool invalidateCaptures();

}  // namespace emulator

struct CUgraph_st {
  std::vector<emulator::Operation> operations;
};

struct CUgraphExec_st {
  std::vector<emulator::Operation> operations;
};

struct CUstream_st {
  /** Whether it waits for the default stream and the default stream for it. */
  bool blocking = true;
  std::deque<emulator::Operation> queue;
  CUstreamCaptureStatus capture = CU_STREAM_CAPTURE_STATUS_NONE;
  CUstreamCaptureMode captureMode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  CUgraph captured = nullptr;
};
