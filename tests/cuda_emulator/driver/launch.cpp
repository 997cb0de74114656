/**
 * Runs a kernel and turns the signals it raises into the driver's errors.
 *
 * The handlers are in place only while a kernel runs, and act only on its thread: Deno has handlers of its
 * own for WebAssembly.
 */

#include "launch.h"

#include <csetjmp>
#include <csignal>

namespace emulator {

namespace {

constexpr int faultSignals[] = {SIGSEGV, SIGBUS, SIGFPE};
constexpr int signalCount = sizeof faultSignals / sizeof *faultSignals;

struct sigaction previous[signalCount];
sigjmp_buf launchState;
thread_local volatile bool runsKernel;
const char* abortReason;

const char* reasonOf(int signal) {
  return signal == SIGFPE ? "integer division by zero" : "illegal or misaligned address";
}

void onSignal(int signal, siginfo_t* info, void* context) {
  if (runsKernel) abortKernel(reasonOf(signal));
  for (int index = 0; index < signalCount; index++) {
    if (faultSignals[index] != signal) continue;
    const struct sigaction& other = previous[index];
    if (other.sa_flags & SA_SIGINFO) return other.sa_sigaction(signal, info, context);
    if (other.sa_handler != SIG_DFL && other.sa_handler != SIG_IGN) return other.sa_handler(signal);
    // Back to the default action: the instruction faults again, now for good.
    sigaction(signal, &other, nullptr);
  }
}

void installHandlers() {
  struct sigaction action {};
  action.sa_sigaction = onSignal;
  // A thread that has an alternate stack takes it: the fault may be a fiber's overflow.
  action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  for (int index = 0; index < signalCount; index++) {
    sigaction(faultSignals[index], &action, &previous[index]);
  }
}

void restoreHandlers() {
  for (int index = 0; index < signalCount; index++) {
    sigaction(faultSignals[index], &previous[index], nullptr);
  }
}

}  // namespace

void abortKernel(const char* reason) {
  abortReason = reason;
  siglongjmp(launchState, 1);
}

std::string runKernel(const KernelEntry& kernel, void** arguments, const LaunchShape& shape) {
  abortReason = nullptr;
  installHandlers();
  // The signal mask is not saved: handlers leave it as it is.
  if (sigsetjmp(launchState, 0) == 0) {
    runsKernel = true;
    kernel.run(arguments, shape);
  }
  runsKernel = false;
  restoreHandlers();
  if (!abortReason) return "";
  resetFibers();
  return abortReason;
}

}  // namespace emulator
