/** Capture of a stream into a graph, and its replay. */

#include "state.h"
#include "stream.h"

namespace emulator {

namespace {

CUresult beginCapture(CUstream handle, CUstreamCaptureMode mode) {
  CUstream_st* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream == streamOf(nullptr)) {
    return explained(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the default stream cannot be captured");
  }
  if (stream->capture != CU_STREAM_CAPTURE_STATUS_NONE) return CUDA_ERROR_ILLEGAL_STATE;
  finishStream(*stream);
  stream->capture = CU_STREAM_CAPTURE_STATUS_ACTIVE;
  stream->captureMode = mode;
  stream->captured = new CUgraph_st;
  return CUDA_SUCCESS;
}

CUresult endCapture(CUstream handle, CUgraph* graph) {
  CUstream_st* stream = streamOf(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture == CU_STREAM_CAPTURE_STATUS_NONE) return CUDA_ERROR_ILLEGAL_STATE;
  const bool valid = stream->capture == CU_STREAM_CAPTURE_STATUS_ACTIVE;
  stream->capture = CU_STREAM_CAPTURE_STATUS_NONE;
  *graph = valid ? stream->captured : nullptr;
  if (!valid) delete stream->captured;
  stream->captured = nullptr;
  return valid ? CUDA_SUCCESS : CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
}

CUresult launch(CUgraphExec executable, CUstream stream) {
  if (!executable) return CUDA_ERROR_INVALID_VALUE;
  // A copy: the executable may be destroyed before deferred work runs.
  const std::vector<Operation> operations = executable->operations;
  return enqueue(stream, [operations] {
    counts.graphLaunches++;
    for (const Operation& operation : operations) {
      if (lostContext() == CUDA_SUCCESS) operation();
    }
  });
}

}  // namespace

}  // namespace emulator

using emulator::call;
using emulator::Needs;

extern "C" {

CUresult cuStreamBeginCapture(CUstream stream, CUstreamCaptureMode mode) {
  return call(Needs::context, [&] { return emulator::beginCapture(stream, mode); });
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph* graph) {
  return call(Needs::context, [&] { return emulator::endCapture(stream, graph); });
}

CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus* status) {
  return call(Needs::context, [&] {
    const CUstream_st* stream = emulator::streamOf(handle);
    if (!stream) return CUDA_ERROR_INVALID_HANDLE;
    *status = stream->capture;
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphInstantiate(CUgraphExec* executable, CUgraph graph, unsigned long long) {
  return call(Needs::context, [&] {
    if (!graph) return CUDA_ERROR_INVALID_VALUE;
    *executable = new CUgraphExec_st{graph->operations};
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode* nodes, size_t* count) {
  return call(Needs::context, [&] {
    if (nodes) return emulator::explained(CUDA_ERROR_INVALID_VALUE, "nodes are only counted");
    *count = graph->operations.size();
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphUpload(CUgraphExec executable, CUstream) {
  return call(Needs::context, [&] { return executable ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE; });
}

CUresult cuGraphLaunch(CUgraphExec executable, CUstream stream) {
  return call(Needs::context, [&] { return emulator::launch(executable, stream); });
}

CUresult cuGraphExecDestroy(CUgraphExec executable) {
  return call(Needs::context, [&] {
    delete executable;
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphDestroy(CUgraph graph) {
  return call(Needs::context, [&] {
    delete graph;
    return CUDA_SUCCESS;
  });
}

}
