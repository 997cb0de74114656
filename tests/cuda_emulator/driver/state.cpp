/** The driver's shared state, and the texts of its errors. */

#include "state.h"

#include <map>

#include "stream.h"

namespace emulator {

Counts counts{};
double algorithmTime = 0;
std::recursive_mutex callLock;
thread_local CUcontext currentContext;

namespace {

bool initialised;
CUresult lost = CUDA_SUCCESS;
std::map<CUresult, std::string> details;

struct ErrorText {
  const char* name;
  const char* text;
};

#define PDARTS_ERROR(code, text) {code, {#code, text}}
const std::map<CUresult, ErrorText> errorTexts{
    PDARTS_ERROR(CUDA_SUCCESS, "no error"),
    PDARTS_ERROR(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    PDARTS_ERROR(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    PDARTS_ERROR(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
    PDARTS_ERROR(CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    PDARTS_ERROR(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
    PDARTS_ERROR(CUDA_ERROR_INVALID_IMAGE, "device kernel image is invalid"),
    PDARTS_ERROR(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
    PDARTS_ERROR(CUDA_ERROR_NO_BINARY_FOR_GPU, "no kernel image is available for execution on the device"),
    PDARTS_ERROR(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle"),
    PDARTS_ERROR(CUDA_ERROR_NOT_FOUND, "named symbol not found"),
    PDARTS_ERROR(CUDA_ERROR_NOT_READY, "device not ready"),
    PDARTS_ERROR(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered"),
    PDARTS_ERROR(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources requested for launch"),
    PDARTS_ERROR(CUDA_ERROR_LAUNCH_FAILED, "unspecified launch failure"),
    PDARTS_ERROR(CUDA_ERROR_DEVICE_UNAVAILABLE, "CUDA-capable device(s) is/are busy or unavailable"),
    PDARTS_ERROR(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
                 "operation not permitted when stream is capturing"),
    PDARTS_ERROR(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
                 "operation failed due to a previous error during capture"),
    PDARTS_ERROR(CUDA_ERROR_ILLEGAL_STATE, "the operation cannot be performed in the present state"),
    PDARTS_ERROR(CUDA_ERROR_UNKNOWN, "unknown error"),
};
#undef PDARTS_ERROR

}  // namespace

bool countdownEnds(long& countdown) {
  if (countdown < 0) return false;
  return --countdown < 0;
}

CUresult lostContext() { return lost; }

void loseContext(CUresult error, const std::string& detail) {
  if (lost != CUDA_SUCCESS) return;
  lost = error;
  explained(error, detail);
}

void restoreContext() {
  lost = CUDA_SUCCESS;
  details.clear();
}

CUresult explained(CUresult error, const std::string& detail) {
  const auto text = errorTexts.find(error);
  details[error] = (text == errorTexts.end() ? "" : text->second.text) + (" (emulator: " + detail + ")");
  return error;
}

CUresult mayCall(Needs needs) {
  if (!initialised) return CUDA_ERROR_NOT_INITIALIZED;
  if (needs != Needs::initialised && !currentContext) {
    return explained(CUDA_ERROR_INVALID_CONTEXT, "no context is current on this thread");
  }
  if (lost != CUDA_SUCCESS) return lost;
  details.clear();  // an earlier call's
  const bool breaks = needs == Needs::contextOutsideCapture && invalidateCaptures();
  return breaks ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : CUDA_SUCCESS;
}

void initialise() { initialised = true; }

}  // namespace emulator

extern "C" {

CUresult cuGetErrorName(CUresult error, const char** name) {
  const auto entry = emulator::errorTexts.find(error);
  *name = entry == emulator::errorTexts.end() ? nullptr : entry->second.name;
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGetErrorString(CUresult error, const char** text) {
  const std::lock_guard<std::recursive_mutex> guard(emulator::callLock);
  const auto entry = emulator::errorTexts.find(error);
  const auto detail = emulator::details.find(error);
  *text = detail != emulator::details.end()         ? detail->second.c_str()
          : entry != emulator::errorTexts.end() ? entry->second.text
                                                    : nullptr;
  return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

}
