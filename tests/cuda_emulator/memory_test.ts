/** The emulator's device memory: bounds, limits, accounting, and what checked mode finds. */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { DriverError } from "../../backends/cudnn/ffi/status.ts";
import { emulatorTest } from "./session.ts";

emulatorTest("cuMemAlloc() accounts exactly and fails beyond the limit", (session) => {
  const before = session.control.counts();
  session.control.setMemoryBytes(before.liveBytes + 1000);
  session.allocate(600);
  assertThrows(() => session.allocate(401), DriverError, "CUDA_ERROR_OUT_OF_MEMORY");
  session.allocate(400);
  const { liveBytes, liveAllocations, peakBytes } = session.control.counts();
  assertEquals(liveBytes - before.liveBytes, 1000);
  assertEquals(liveAllocations - before.liveAllocations, 2);
  assertEquals(peakBytes, liveBytes);
  const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
  session.check(session.libraries.cuda.cuMemGetInfo_v2(free, total), "cuMemGetInfo");
  assertEquals([free[0], total[0]], [0n, BigInt(liveBytes)]);
});

emulatorTest("the allocation that a test names fails, and only it", (session) => {
  session.control.failAllocation(2);
  session.allocate(16);
  assertThrows(() => session.allocate(16), DriverError, "a test made this allocation fail");
  session.allocate(16);
  // The reason is that call's alone.
  session.control.setMemoryBytes(0);
  const { message } = assertThrows(() => session.allocate(16), DriverError, "OUT_OF_MEMORY");
  assert(!message.includes("a test"), message);
});

emulatorTest("copies and fills that leave an allocation fail at the call", (session) => {
  const { cuda } = session.libraries, host = new Float32Array(5);
  const device = session.upload(new Float32Array([1, 2, 3, 4]));
  const calls = [
    () => cuda.cuMemcpyHtoD_v2(device, host, 20n),
    () => cuda.cuMemcpyHtoD_v2(device + 4n, host, 16n),
    () => cuda.cuMemcpyDtoH_v2(host, device, 17n),
    () => cuda.cuMemcpyDtoD_v2(device, device + 4n, 16n),
    () => cuda.cuMemsetD8_v2(device + 15n, 0, 2n),
    () => cuda.cuMemcpyDtoH_v2(host, 64n, 4n),
    () => cuda.cuMemFree_v2(device + 4n),
  ];
  for (const call of calls) {
    assertThrows(() => session.check(call(), "call"), DriverError, "CUDA_ERROR_INVALID_VALUE");
  }
  assertEquals([...session.download(device, new Float32Array(4))], [1, 2, 3, 4]);
});

const REACH = `
  extern "C" __global__ void read(const float* x, float* y, int at) { y[0] = x[at]; }
  extern "C" __global__ void write(float* x, int at) { x[at] = 1; }
  extern "C" __global__ void shared(float* y) {
    __shared__ float tile[32];
    extern __shared__ float more[];
    y[0] = tile[threadIdx.x];
    y[1] = more[threadIdx.x];
  }`;

emulatorTest("checked memory and shared memory begin as NaNs", (session) => {
  session.control.setChecked(true);
  const kernels = session.load(REACH), fresh = session.allocate(8);
  assertEquals([...session.download(fresh, new Float32Array(2))], [NaN, NaN]);
  const y = session.upload(new Float32Array(2));
  session.launch(kernels("shared"), { blocks: 1, threads: 1, sharedBytes: 4, arguments: [y] });
  assertEquals([...session.download(y, new Float32Array(2))], [NaN, NaN]);
});

for (const name of ["read", "write"]) {
  emulatorTest(`checked memory loses the context when a kernel's ${name} leaves it`, (session) => {
    session.control.setChecked(true);
    const kernels = session.load(REACH), x = session.allocate(256), y = session.allocate(4);
    const run = (at: number) =>
      session.launch(kernels(name), {
        blocks: 1,
        threads: 1,
        arguments: [x, ...(name === "read" ? [y] : []), { int: at }],
      });
    run(63);
    session.download(x, new Float32Array(64));
    run(64);
    // As on a device: the next call tells, and every call behind it.
    for (let call = 0; call < 2; call++) {
      const error = assertThrows(
        () => session.allocate(4),
        DriverError,
        "CUDA_ERROR_ILLEGAL_ADDRESS",
      );
      assert(error.message.includes(`kernel ${name}`), error.message);
    }
  });
}

emulatorTest("memory that was freed is not there for kernels in checked mode", (session) => {
  session.control.setChecked(true);
  const { cuda } = session.libraries, kernels = session.load(REACH), freed = new BigUint64Array(1);
  session.check(cuda.cuMemAlloc_v2(freed, 1n << 20n), "cuMemAlloc");
  session.check(cuda.cuMemFree_v2(freed[0]), "cuMemFree");
  session.launch(kernels("write"), { blocks: 1, threads: 1, arguments: [freed[0], { int: 0 }] });
  assertThrows(() => session.allocate(4), DriverError, "CUDA_ERROR_ILLEGAL_ADDRESS");
});
