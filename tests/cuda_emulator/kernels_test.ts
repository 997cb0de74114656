/** CUDA C on the emulator: what kernels of the backend use, each against a loop in TypeScript. */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { emulatorTest } from "./session.ts";

/** Numbers between -1 and 1 that repeat in no short period. */
function samples(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(index * 12.9898));
}

function assertClose(actual: Float32Array, expected: ArrayLike<number>, tolerance = 1e-6): void {
  assertEquals(actual.length, expected.length);
  actual.forEach((value, index) => {
    const error = Math.abs(value - expected[index]);
    assert(error <= tolerance, `at ${index}: got ${value}, want ${expected[index]}`);
  });
}

emulatorTest(
  "a kernel without barriers runs each thread once, those past the end do nothing",
  (session) => {
    const kernels = session.load(`
    extern "C" __global__ void scale(const float* __restrict__ x, float* y, int n, float factor) {
      int i = blockIdx.x * blockDim.x + threadIdx.x;
      if (i >= n) return;
      y[i] = y[i] + factor * x[i];
    }`);
    const x = samples(1000), y = session.upload(new Float32Array(1024).fill(1));
    session.launch(kernels("scale"), {
      blocks: 4,
      threads: 256,
      arguments: [session.upload(x), y, { int: 1000 }, { float: 0.5 }],
    });
    const expected = Float32Array.from({ length: 1024 }, (_, i) => i < 1000 ? 1 + 0.5 * x[i] : 1);
    assertClose(session.download(y, new Float32Array(1024)), expected);
  },
);

emulatorTest("grids and blocks have three sizes", (session) => {
  const kernels = session.load(`
    extern "C" __global__ void where(int* out) {
      unsigned int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
      unsigned int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
      out[block * blockDim.x * blockDim.y * blockDim.z + thread] = blockIdx.z * 100000 + blockIdx.y * 10000 +
        blockIdx.x * 1000 + threadIdx.z * 100 + threadIdx.y * 10 + threadIdx.x;
    }
    extern "C" __global__ void whereAtBarrier(int* out) {
      __syncthreads();
      unsigned int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
      unsigned int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
      out[block * blockDim.x * blockDim.y * blockDim.z + thread] = blockIdx.z * 100000 + blockIdx.y * 10000 +
        blockIdx.x * 1000 + threadIdx.z * 100 + threadIdx.y * 10 + threadIdx.x;
    }`);
  const expected: number[] = [];
  for (let block = 0; block < 24; block++) {
    const [bx, by, bz] = [block % 4, Math.floor(block / 4) % 3, Math.floor(block / 12)];
    for (let thread = 0; thread < 30; thread++) {
      const [x, y, z] = [thread % 5, Math.floor(thread / 5) % 3, Math.floor(thread / 15)];
      expected.push(bz * 100000 + by * 10000 + bx * 1000 + z * 100 + y * 10 + x);
    }
  }
  for (const name of ["where", "whereAtBarrier"]) {
    const out = session.upload(new Int32Array(720));
    session.launch(kernels(name), { blocks: [4, 3, 2], threads: [5, 3, 2], arguments: [out] });
    assertEquals([...session.download(out, new Int32Array(720))], expected);
  }
});

emulatorTest(
  "__syncthreads() separates writes and reads of shared memory, also after threads ended",
  (session) => {
    const kernels = session.load(`
    __device__ void reverse(float* tile, float* x, int n) {
      tile[threadIdx.x] = x[threadIdx.x];
      __syncthreads();
      x[threadIdx.x] = tile[n - 1 - threadIdx.x] + 1.0f;
      __syncthreads();
    }
    extern "C" __global__ void __launch_bounds__(256) fixed(float* x, int n) {
      __shared__ float tile[256];
      if (threadIdx.x >= n) return;
      for (int round = 0; round < 3; round++) reverse(tile, x + blockIdx.x * n, n);
    }
    extern "C" __global__ void dynamic(float* x, int n) {
      extern __shared__ float tile[];
      for (int round = 0; round < 3; round++) reverse(tile, x + blockIdx.x * n, n);
    }`);
    const x = samples(3 * 200), n = 200;
    const expected = x.map((_, i) => x[Math.floor(i / n) * n + n - 1 - i % n] + 3);
    for (
      const [name, threads, sharedBytes] of [["fixed", 256, 0], ["dynamic", 200, 800]] as const
    ) {
      const memory = session.upload(x);
      session.launch(kernels(name), {
        blocks: 3,
        threads,
        sharedBytes,
        arguments: [memory, { int: n }],
      });
      assertClose(session.download(memory, new Float32Array(x.length)), expected);
    }
  },
);

emulatorTest("shuffles and ballots move values between the lanes of a warp", (session) => {
  const kernels = session.load(`
    extern "C" __global__ void exchange(const int* x, int* sums, int* down, int* up, int* first, unsigned int* odd) {
      unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
      int sum = x[i];
      for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, offset);
      sums[i] = sum;
      down[i] = __shfl_down_sync(0xffffffffu, x[i], 3);
      up[i] = __shfl_up_sync(0xffffffffu, x[i], 1, 8);
      first[i] = __shfl_sync(0xffffffffu, x[i], 2, 16);
      odd[i] = __ballot_sync(0xffffffffu, x[i] & 1);
    }`);
  const count = 128, x = Int32Array.from({ length: count }, (_, i) => i * i % 37);
  const out = ["sums", "down", "up", "first", "odd"].map(() => session.allocate(4 * count));
  session.launch(kernels("exchange"), {
    blocks: 2,
    threads: 64,
    arguments: [session.upload(x), ...out],
  });
  const of = (index: number) => [...session.download(out[index], new Int32Array(count))];
  const warp = (i: number) => [...x.subarray(i & ~31, (i & ~31) + 32)];
  const each = (value: (i: number, lane: number) => number) =>
    Array.from({ length: count }, (_, i) => value(i, i % 32));
  assertEquals(of(0), each((i) => warp(i).reduce((sum, value) => sum + value)));
  assertEquals(of(1), each((i, lane) => lane + 3 < 32 ? x[i + 3] : x[i]));
  assertEquals(of(2), each((i) => i % 8 > 0 ? x[i - 1] : x[i]));
  assertEquals(of(3), each((i) => x[(i & ~15) + 2]));
  assertEquals(
    of(4),
    each((i) => warp(i).reduce((set, value, lane) => set | (value & 1) << lane, 0)),
  );
});

emulatorTest(
  "exchanges work within the lanes of a mask, with partial warps and ended threads",
  (session) => {
    const kernels = session.load(`
    extern "C" __global__ void halves(int* out) {
      int lane = threadIdx.x;
      if (lane < 16) out[lane] = __shfl_sync(0x0000ffffu, lane * 2, 15 - lane);
      else out[lane] = __shfl_sync(0xffff0000u, lane * 3, 47 - lane);
    }
    extern "C" __global__ void partial(unsigned int* out) {
      if (threadIdx.x == 1) return;
      out[threadIdx.x] = __ballot_sync(0xffffffffu, 1);
    }`);
    const halves = session.upload(new Int32Array(32)),
      partial = session.upload(new Uint32Array(40));
    session.launch(kernels("halves"), { blocks: 1, threads: 32, arguments: [halves] });
    session.launch(kernels("partial"), { blocks: 1, threads: 40, arguments: [partial] });
    assertEquals(
      [...session.download(halves, new Int32Array(32))],
      Array.from({ length: 32 }, (_, lane) => lane < 16 ? (15 - lane) * 2 : (47 - lane) * 3),
    );
    assertEquals(
      [...session.download(partial, new Uint32Array(40))],
      Array.from({ length: 40 }, (_, i) => i === 1 ? 0 : i < 32 ? 0xfffffffd : 0xff),
    );
  },
);

emulatorTest(
  "arithmetic is the device's: multiply-adds round once, _rn intrinsics do not form them",
  (session) => {
    const source = `
    extern "C" __global__ void products(const float* a, const float* b, const float* c, float* out) {
      out[0] = a[0] * b[0] + c[0];
      out[1] = __fadd_rn(__fmul_rn(a[0], b[0]), c[0]);
      out[2] = fmaf(a[0], b[0], c[0]);
      out[3] = fmaxf(a[0], 0.0f / c[1]);
      out[4] = __int_as_float(0x3f800000);
      out[5] = static_cast<float>(__umulhi(0x80000000u, 6u)) + __popc(0xffu) + __clz(1) + __ffs(8);
      out[6] = rsqrtf(4.0f) + max(2, 3) + min(0.5f, 0.25f);
    }`;
    // 1 + 2^-12 squared is 1 + 2^-11 + 2^-24: the last bit is lost unless the product is kept exact.
    const a = session.upload(new Float32Array([1 + 2 ** -12])),
      c = session.upload(new Float32Array([-1, 0]));
    const run = (options: string[]) => {
      const out = session.allocate(28);
      session.launch(session.load(source, options)("products"), {
        blocks: 1,
        threads: 1,
        arguments: [a, a, c, out],
      });
      return [...session.download(out, new Float32Array(7))];
    };
    const exact = 2 ** -11 + 2 ** -24, rounded = 2 ** -11;
    const others = [1 + 2 ** -12, 1, 3 + 8 + 31 + 4, 0.5 + 3 + 0.25];
    assertEquals(run([]), [exact, rounded, exact, ...others]);
    assertEquals(run(["--fmad=false"]), [rounded, rounded, exact, ...others]);
  },
);

emulatorTest(
  "a source that is wrong gives NVRTC's log with its lines, and no C header is there",
  (session) => {
    assertThrows(
      () => session.compile(`\nextern "C" __global__ void f(float* x) { x[0] = y; }`),
      Error,
      "test.cu:2",
    );
    assertThrows(
      () => session.compile(`extern "C" __global__ void f(float* x) { x[0] = FLT_MAX; }`),
      Error,
      "FLT_MAX",
    );
    assertThrows(() => session.compile("", ["--no-such-option"]), Error, "--no-such-option");
  },
);

emulatorTest("options define macros, and kernels behind a false #if are not there", (session) => {
  const kernels = session.load(
    `#if WIDTH > 3
    extern "C" __global__ void f(int* x) { x[0] = WIDTH; }
    #else
    extern "C" __global__ void g(int* x) { x[0] = 0; }
    #endif`,
    ["--gpu-architecture=sm_90", "--std=c++17", "-DWIDTH=7"],
  );
  const x = session.allocate(4);
  session.launch(kernels("f"), { blocks: 1, threads: 1, arguments: [x] });
  assertEquals([...session.download(x, new Int32Array(1))], [7]);
  assertThrows(() => kernels("g"), Error, `no kernel "g"`);
});
