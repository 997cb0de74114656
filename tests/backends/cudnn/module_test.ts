/** Tests of what is read from the text of CUDA C, and of the arguments of a call. */

import { ArgumentBuffer } from "../../../backends/cudnn/arguments.ts";
import { cudaModule, cudaModules } from "../../../backends/cudnn/module.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "../../assert.ts";
import { permitted } from "../../permitted.ts";

const SOURCE = `
// extern "C" __global__ void no_kernel(double x) {}
__device__ float helper(double value) { return value; }
extern "C" __global__ void __launch_bounds__(256) first(
    const float* x, /* results */ float * __restrict__ y,
    const unsigned long long* table, // addresses
    int rows, unsigned int seed, float epsilon) {}
extern "C" __global__ void second(unsigned char* mask) {}
`;

Deno.test("cudaModule() reads the parameters of every kernel", () => {
  const module = cudaModule("a module", SOURCE);
  const list = (name: string) =>
    module.kernel(name).parameters.map(({ name, type }) => `${type} ${name}`);
  assertEquals(list("first"), [
    ...["pointer x", "pointer y", "pointer table"],
    ...["int rows", "unsigned int seed", "float epsilon"],
  ]);
  assertEquals(list("second"), ["pointer mask"]);
  assertStrictEquals(module.kernel("first"), module.kernel("first"));
  assert(cudaModules().includes(module));
});

Deno.test("cudaModule() refuses text without a kernel, and parameters of other types", () => {
  assertThrows(() => cudaModule("empty", "int x;"), TypeError, "module empty has no kernel");
  const of = (parameter: string) => `extern "C" __global__ void k(int n, ${parameter}) {}`;
  for (const parameter of ["double x", "size_t n", "float3 v", "float& x", "bool flag", "long n"]) {
    assertThrows(() => cudaModule("m", of(parameter)), TypeError, `the parameter "${parameter}"`);
  }
  const module = cudaModule("m", of("float x"));
  assertThrows(() => module.kernel("l"), TypeError, "module m has no kernel l");
});

Deno.test({
  name: "ArgumentBuffer.write() places each argument, and refuses a call that does not fit",
  ignore: !permitted({ ffi: true }),
  fn: () => {
    const kernel = cudaModule("m", SOURCE).kernel("first"), buffer = new ArgumentBuffer(kernel);
    const call = { x: 1n, y: 2n ** 63n, table: 3n, rows: -4, seed: 2 ** 32 - 1, epsilon: 0.5 };
    buffer.write(call);
    const read = [...buffer.table].map((address) =>
      new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!)
    );
    assertEquals(read.slice(0, 3).map((view) => view.getBigUint64()), [1n, 2n ** 63n, 3n]);
    assertEquals(
      [read[3].getInt32(), read[4].getUint32(), read[5].getFloat32()],
      [-4, 2 ** 32 - 1, 0.5],
    );
    const { rows: _, ...short } = call;
    for (
      const [wrong, message] of [
        [short, 'argument "rows" (int) is missing'],
        [{ ...call, more: 1 }, 'argument "more" is unknown'],
        [{ ...call, x: 1 }, 'argument "x" (pointer) is 1'],
        [{ ...call, rows: 1n }, 'argument "rows" (int) is 1'],
      ] as const
    ) {
      assertThrows(() => buffer.write(wrong), TypeError, `CUDA kernel first: ${message}`);
    }
  },
});
