/** Handles, versions, errors; and the graph API, which says that it is not there. */

#include <cstdio>

#include "cudnn_state.h"

namespace emulator {

namespace {

thread_local std::string lastError;

}  // namespace

cudnnStatus_t failed(cudnnStatus_t status, const std::string& text) {
  lastError = text;
  return status;
}

cudnnStatus_t require(bool condition, const char* text) {
  if (condition) return CUDNN_STATUS_SUCCESS;
  return failed(CUDNN_STATUS_BAD_PARAM, std::string("CUDNN_STATUS_BAD_PARAM; Reason: !(") + text + ")");
}

namespace {

cudnnStatus_t noGraphs() {
  return failed(CUDNN_STATUS_NOT_SUPPORTED, "the emulated cuDNN has no graphs");
}

}  // namespace

}  // namespace emulator

extern "C" {

size_t cudnnGetVersion(void) { return CUDNN_VERSION; }
size_t cudnnGetCudartVersion(void) { return CUDART_VERSION; }

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS: return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_INITIALIZED: return "CUDNN_STATUS_NOT_INITIALIZED";
    case CUDNN_STATUS_BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_EXECUTION_FAILED: return "CUDNN_STATUS_EXECUTION_FAILED";
    default: return "CUDNN_STATUS_UNKNOWN";
  }
}

void cudnnGetLastErrorString(char* text, size_t bytes) {
  if (bytes > 0) snprintf(text, bytes, "%s", emulator::lastError.c_str());
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  PDARTS_REQUIRE(handle != nullptr);
  *handle = new cudnnContext;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  delete handle;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  PDARTS_REQUIRE(handle != nullptr);
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* stream) {
  PDARTS_REQUIRE(handle != nullptr && stream != nullptr);
  *stream = handle->stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t, cudnnBackendDescriptor_t*) {
  return emulator::noGraphs();
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t) { return emulator::noGraphs(); }
cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t) { return emulator::noGraphs(); }
cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t, cudnnBackendAttributeName_t,
                                       cudnnBackendAttributeType_t, int64_t, const void*) {
  return emulator::noGraphs();
}
cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const, cudnnBackendAttributeName_t,
                                       cudnnBackendAttributeType_t, int64_t, int64_t*, void*) {
  return emulator::noGraphs();
}
cudnnStatus_t cudnnBackendExecute(cudnnHandle_t, cudnnBackendDescriptor_t, cudnnBackendDescriptor_t) {
  return emulator::noGraphs();
}

}
