/**
 * The threads of a block that meet at barriers: fibers of the launching thread.
 *
 * A fiber begins one thread after the other for as long as none of them waits. A thread that waits keeps
 * its fiber, and goes on when its barrier or exchange is complete. A warp whose exchange is complete goes
 * on first, while its stacks are in the cache; then threads that left a barrier; then new ones begin.
 */

#include <sys/mman.h>

#include <cstdint>
#include <vector>

#include "launch.h"

#ifndef __x86_64__
#error "the fibers' switch of stacks is written for x86-64"
#endif

namespace emulator {

namespace {

constexpr unsigned maxThreads = 1024, lanes = 32;
constexpr size_t stackBytes = 256 << 10, guardBytes = 4096;

struct Fiber {
  char* stack;
  void* stackPointer;
};

enum class State : uint8_t { free, ready, atBarrier, inExchange };

struct Thread {
  Fiber* fiber;
  State state;
  unsigned mask, source;
  uint64_t value, result;
};

/** Sets of lanes. */
struct Warp {
  unsigned existing, arrived, ended;
};

/** The block under way. */
struct Block {
  void (*begin)(void*);
  void* argument;
  unsigned threads, begun, ended, atBarrier;
};

Block block;
Thread threads[maxThreads];
Warp warps[maxThreads / lanes];
/** A ring of threads that may go on: each is in it at most once. */
struct Queue {
  unsigned threads[maxThreads], head, tail;

  bool empty() const { return head == tail; }
  void push(unsigned thread) { threads[tail++ % maxThreads] = thread; }
  unsigned pop() { return threads[head++ % maxThreads]; }
};

Queue exchanged, pastBarrier;
Fiber* running;
void* schedulerStack;
std::vector<Fiber*> fibers, idleFibers;

/**
 * Goes on with another stack; returns when something switches back to this one.
 *
 * Inline and left by a jump, so that the processor's prediction of returns stays right: threads that come
 * from the same barrier return to the same places.
 */
__attribute__((always_inline)) inline void switchStack(void** saved, void* next) {
  asm volatile(
      "sub $128, %%rsp\n"  // what a function may use below its stack
      "push %%rbp\n push %%rbx\n"
      "lea 1f(%%rip), %%rax\n push %%rax\n"
      "mov %%rsp, (%0)\n mov %1, %%rsp\n"
      "pop %%rax\n jmp *%%rax\n"
      "1: pop %%rbx\n pop %%rbp\n"
      "add $128, %%rsp\n"
      : "+D"(saved), "+S"(next)
      :
      : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory", "xmm0", "xmm1",
        "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
        "xmm14", "xmm15");
}

__attribute__((noinline)) void leaveToScheduler() { switchStack(&running->stackPointer, schedulerStack); }

void goOn(Fiber* fiber) {
  running = fiber;
  switchStack(&schedulerStack, fiber->stackPointer);
}

void fiberMain() {
  for (;;) {
    block.begin(block.argument);
    idleFibers.push_back(running);
    leaveToScheduler();
  }
}

/** Lays out a stack so that the first switch to it enters `fiberMain`. */
void prepare(Fiber& fiber, size_t number) {
  // Tops at different offsets: equal ones would share few sets of the cache.
  char* top = fiber.stack + stackBytes - 64 - number * 448 % 16384;
  void** frame = reinterpret_cast<void**>(top);
  *--frame = nullptr;  // where a caller's return address would be
  *--frame = reinterpret_cast<void*>(fiberMain);
  fiber.stackPointer = frame;
}

Fiber* takeFiber() {
  if (idleFibers.empty()) {
    void* stack = mmap(nullptr, stackBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) abortKernel("no memory for a thread's stack");
    mprotect(stack, guardBytes, PROT_NONE);
    fibers.push_back(new Fiber{static_cast<char*>(stack), nullptr});
    prepare(*fibers.back(), fibers.size());
    idleFibers.push_back(fibers.back());
  }
  Fiber* fiber = idleFibers.back();
  idleFibers.pop_back();
  return fiber;
}

bool anyReady() { return !exchanged.empty() || !pastBarrier.empty(); }

/** The fiber of the thread that goes on next; there is one. */
Fiber* nextReady() { return threads[exchanged.empty() ? pastBarrier.pop() : exchanged.pop()].fiber; }

/** Leaves the fiber to the next ready thread, or to the scheduler if none is. */
void wait(unsigned thread, State state) {
  threads[thread].state = state;
  threads[thread].fiber = running;
  if (anyReady()) {
    Fiber* const own = running;
    running = nextReady();
    switchStack(&own->stackPointer, running->stackPointer);
  } else {
    leaveToScheduler();
  }
  threads[thread].state = State::free;
}

bool barrierIsComplete() { return block.begun == block.threads && block.atBarrier + block.ended == block.threads; }

void openBarrier() {
  block.atBarrier = 0;
  for (unsigned thread = 0; thread < block.threads; thread++) {
    if (threads[thread].state != State::atBarrier) continue;
    threads[thread].state = State::ready;
    pastBarrier.push(thread);
  }
}

uint64_t resultOf(const Thread& thread, const Thread* warpThreads, unsigned members) {
  if (thread.source < lanes) return members >> thread.source & 1 ? warpThreads[thread.source].value : ~uint64_t{0};
  unsigned ballot = 0;
  for (unsigned lane = 0; lane < lanes; lane++) {
    if (members >> lane & 1 && warpThreads[lane].value != 0) ballot |= 1u << lane;
  }
  return ballot;
}

/** If all lanes of the mask have arrived or ended, gives them their results and sets the waiting ones free. */
bool openExchange(unsigned warpNumber, unsigned mask) {
  Warp& warp = warps[warpNumber];
  mask &= warp.existing;
  if (((warp.arrived | warp.ended) & mask) != mask) return false;
  const unsigned members = warp.arrived & mask;
  Thread* warpThreads = threads + warpNumber * lanes;
  for (unsigned rest = members; rest; rest &= rest - 1) {
    const unsigned lane = __builtin_ctz(rest);
    Thread& thread = warpThreads[lane];
    thread.result = resultOf(thread, warpThreads, members);
    if (thread.state != State::inExchange) continue;
    thread.state = State::ready;
    exchanged.push(warpNumber * lanes + lane);
  }
  warp.arrived &= ~members;
  return true;
}

/** Exchanges whose missing lanes have ended since. */
void openExchangesOfEnded() {
  for (unsigned thread = 0; thread < block.threads; thread++) {
    if (threads[thread].state == State::inExchange) openExchange(thread / lanes, threads[thread].mask);
  }
}

void resumeReady() {
  while (anyReady()) goOn(nextReady());
}

void startBlock(void (*begin)(void*), void* argument, unsigned count) {
  block = {begin, argument, count, 0, 0, 0};
  exchanged.head = exchanged.tail = pastBarrier.head = pastBarrier.tail = 0;
  for (unsigned warp = 0; warp * lanes < count; warp++) {
    const unsigned existing = count - warp * lanes;
    warps[warp] = {existing < lanes ? (1u << existing) - 1 : ~0u, 0, 0};
  }
}

}  // namespace

void resetFibers() {
  idleFibers = fibers;
  for (size_t number = 0; number < fibers.size(); number++) prepare(*fibers[number], number);
  for (Thread& thread : threads) thread.state = State::free;
  running = nullptr;
}

}  // namespace emulator

using namespace emulator;

extern "C" {

void emulatorRunBlock(void (*begin)(void*), void* argument, unsigned count) {
  startBlock(begin, argument, count);
  while (block.ended < count) {
    resumeReady();
    if (block.begun < count) {
      goOn(takeFiber());
    } else if (block.atBarrier > 0 && barrierIsComplete()) {
      openBarrier();
    } else if (block.ended < count) {
      openExchangesOfEnded();
      if (!anyReady()) abortKernel("threads wait for each other at different barriers or exchanges");
    }
  }
  running = nullptr;
}

unsigned emulatorNextThread() { return block.begun < block.threads ? block.begun++ : noThread; }

void emulatorThreadEnds(unsigned thread) {
  block.ended++;
  warps[thread / lanes].ended |= 1u << thread % lanes;
}

void emulatorBarrier(unsigned thread) {
  if (!running) abortKernel("a barrier in a kernel that was taken for one without");
  block.atBarrier++;
  if (barrierIsComplete()) return openBarrier();
  wait(thread, State::atBarrier);
}

unsigned long long emulatorExchange(unsigned thread, unsigned mask, unsigned long long value, unsigned source) {
  if (!running) abortKernel("a warp exchange in a kernel that was taken for one without");
  const unsigned lane = thread % lanes, warp = thread / lanes;
  if (!(mask >> lane & 1)) abortKernel("a lane calls a warp exchange whose mask leaves it out");
  Thread& self = threads[thread];
  self.mask = mask;
  self.source = source;
  self.value = value;
  warps[warp].arrived |= 1u << lane;
  if (!openExchange(warp, mask)) wait(thread, State::inExchange);
  return self.result;
}

}
