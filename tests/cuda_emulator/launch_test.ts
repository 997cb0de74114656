/** Launches on the emulator: what is refused, what goes wrong when it runs, and faults on demand. */

import { assertEquals, assertThrows } from "../assert.ts";
import { CUDA_VALUES } from "../../backends/cudnn/ffi/cuda.ts";
import { DriverError } from "../../backends/cudnn/ffi/status.ts";
import { EMULATOR_FOLDER } from "./build.ts";
import { emulatorTest, type Launch, type Session } from "./session.ts";

const SOURCE = `
  extern "C" __global__ void add(float* x, float value) { x[threadIdx.x] += value; }
  extern "C" __global__ void __launch_bounds__(64) bounded(float* x) { x[0] = 1; }
  extern "C" __global__ void apart(float* x) {
    if (threadIdx.x < 16) __syncthreads();
    else __syncwarp();
    x[threadIdx.x] = 1;
  }
  extern "C" __global__ void divide(int* x, int by) { x[0] = x[0] / by; }
  extern "C" __global__ void outside(unsigned int* x) { x[0] = __ballot_sync(0x2u, 1); }
  extern "C" __global__ void deep(float* x, int n) {
    volatile float local[1 << 18];
    for (int i = 0; i < n; i++) local[i] = x[0];
    __syncthreads();
    x[1] = local[n - 1];
  }`;

const ONE = { blocks: 1, threads: 1 };

function failure(session: Session, kernel: string, launch: Launch): string {
  session.launch(session.load(SOURCE)(kernel), launch);
  return assertThrows(() => session.allocate(4), DriverError).message;
}

emulatorTest("cuLaunchKernel() refuses shapes that a device refuses, and goes on", (session) => {
  const kernels = session.load(SOURCE), x = session.upload(new Float32Array(64));
  const launches: [string, Partial<Launch>, string][] = [
    ["add", { blocks: 0 }, "an empty grid"],
    ["add", { blocks: [1, 65536, 1] }, "too large a grid"],
    ["add", { threads: 0 }, "an empty block"],
    ["add", { threads: [32, 1, 65] }, "64 threads in z"],
    ["add", { threads: 1025 }, "more threads"],
    ["bounded", { threads: 65 }, "more threads"],
    ["add", { sharedBytes: 49153 }, "dynamic shared memory"],
  ];
  for (const [kernel, change, reason] of launches) {
    assertThrows(
      () => session.launch(kernels(kernel), { ...ONE, arguments: [x, { float: 1 }], ...change }),
      DriverError,
      reason,
    );
  }
  session.launch(kernels("add"), { ...ONE, arguments: [x, { float: 2 }] });
  assertEquals([...session.download(x, new Float32Array(1))], [2]);
});

emulatorTest(
  "more dynamic shared memory is there once the kernel has been allowed it",
  (session) => {
    const add = session.load(SOURCE)("add"), x = session.upload(new Float32Array(1));
    const attribute = CUDA_VALUES.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
    session.check(
      session.libraries.cuda.cuFuncSetAttribute(add, attribute, 100000),
      "cuFuncSetAttribute",
    );
    session.launch(add, { ...ONE, sharedBytes: 100000, arguments: [x, { float: 1 }] });
    assertEquals([...session.download(x, new Float32Array(1))], [1]);
  },
);

emulatorTest("a kernel's faults lose the context with their reason", (session) => {
  const x = session.upload(new Float32Array(1024));
  const faults: [string, Launch, string][] = [
    ["apart", { blocks: 1, threads: 32, arguments: [x] }, "threads wait for each other"],
    ["divide", { ...ONE, arguments: [x, { int: 0 }] }, "integer division by zero"],
    ["outside", { ...ONE, arguments: [x] }, "whose mask leaves it out"],
    ["add", { ...ONE, arguments: [0n, { float: 1 }] }, "illegal or misaligned address"],
    ["deep", { ...ONE, arguments: [x, { int: 1 << 18 }] }, "illegal or misaligned address"],
  ];
  for (const [kernel, launch, reason] of faults) {
    const message = failure(session, kernel, launch);
    assertEquals(message.includes(reason) && message.includes(`kernel ${kernel}`), true, message);
    session.control.reset();
  }
  // The emulator itself has come through.
  session.launch(session.load(SOURCE)("bounded"), { ...ONE, arguments: [x] });
  assertEquals([...session.download(x, new Float32Array(1))], [1]);
});

emulatorTest("the launch that a test names fails when the kernel would run", (session) => {
  const add = session.load(SOURCE)("add"), x = session.upload(new Float32Array(1));
  const run = () => session.launch(add, { ...ONE, arguments: [x, { float: 1 }] });
  session.control.failLaunch(2);
  run();
  run();
  const error = assertThrows(run, DriverError, "CUDA_ERROR_LAUNCH_FAILED");
  assertEquals(error.message.includes("a test made kernel add fail"), true, error.message);
  session.control.reset();
  assertEquals([...session.download(x, new Float32Array(1))], [1]);
});

emulatorTest("a lost device fails all calls until the reset", (session) => {
  const x = session.upload(new Float32Array(1));
  session.control.loseDevice();
  assertThrows(() => session.download(x, new Float32Array(1)), DriverError, "CUDA_ERROR_UNKNOWN");
  assertThrows(() => session.stream(), DriverError, "CUDA_ERROR_UNKNOWN");
  session.control.reset();
  assertEquals([...session.download(x, new Float32Array(1))], [0]);
});

emulatorTest("the end of a context frees its memory, also when the device is lost", (session) => {
  const { cuda } = session.libraries, context = new BigUint64Array(1);
  session.allocate(100);
  session.control.loseDevice();
  assertThrows(
    () => session.check(cuda.cuDevicePrimaryCtxRelease_v2(0), "cuDevicePrimaryCtxRelease"),
    DriverError,
    "CUDA_ERROR_UNKNOWN",
  );
  const { liveBytes, liveAllocations } = session.control.counts();
  assertEquals([liveBytes, liveAllocations], [0, 0]);
  session.control.reset();
  session.check(cuda.cuDevicePrimaryCtxRetain(context, 0), "cuDevicePrimaryCtxRetain");
});

emulatorTest("a thread without the context may not call", async (session) => {
  const { cuda } = session.libraries;
  // What Deno calls without blocking runs on a thread of its own.
  const library = Deno.dlopen(Deno.realPathSync(`${EMULATOR_FOLDER}/libcuda.so.1`), {
    cuCtxSynchronize: { parameters: [], result: "i32", nonblocking: true },
  });
  const status = await library.symbols.cuCtxSynchronize();
  assertThrows(
    () => session.check(status, "cuCtxSynchronize"),
    DriverError,
    "CUDA_ERROR_INVALID_CONTEXT",
  );
  session.check(cuda.cuCtxSynchronize(), "cuCtxSynchronize");
  library.close();
});
