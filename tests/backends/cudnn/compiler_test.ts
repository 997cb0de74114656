/** Tests of what is kept of compiled CUDA C; `real_libraries_test.ts` compiles every kernel. */

import { type CompilerTarget, CudaCompiler } from "../../../backends/cudnn/compiler.ts";
import type { Nvrtc } from "../../../backends/cudnn/ffi/nvrtc.ts";
import { cudaModule } from "../../../backends/cudnn/module.ts";
import { assertEquals } from "../../assert.ts";
import { permitted } from "../../permitted.ts";
import { scratchPermitted, withScratch } from "../../scratch.ts";

const SOURCE = `extern "C" __global__ void set(float* y) { y[threadIdx.x] = 1; }`;

function card(name: string, ...computeCapability: [number, number]): CompilerTarget {
  return { name, limits: { computeCapability } };
}

/** A compiler that makes of every text its own bytes, and counts. */
function madeUpNvrtc(version = 5): { nvrtc: Nvrtc; compiled: () => number } {
  let count = 0;
  const zero = (change: () => void = () => {}) => (change(), 0);
  const nvrtc = {
    nvrtcVersion: (major: Int32Array, minor: Int32Array) =>
      zero(() => [major[0], minor[0]] = [13, version]),
    nvrtcCreateProgram: (out: BigUint64Array) => zero(() => out[0] = 1n),
    nvrtcCompileProgram: () => zero(() => count++),
    nvrtcGetCUBINSize: (_program: bigint, size: BigUint64Array) => zero(() => size[0] = 3n),
    nvrtcGetCUBIN: (_program: bigint, binary: Uint8Array) => zero(() => binary.fill(count)),
    nvrtcDestroyProgram: () => zero(),
  };
  return { nvrtc: nvrtc as unknown as Nvrtc, compiled: () => count };
}

Deno.test({
  name: "CudaCompiler keeps binaries by text, card and version of NVRTC",
  ignore: !scratchPermitted() || !permitted({ ffi: true }),
  fn: () =>
    withScratch((folder) => {
      const { nvrtc, compiled } = madeUpNvrtc(), one = cudaModule("one", SOURCE);
      const compile = (
        target: CompilerTarget,
        library = nvrtc,
        module = one,
      ) => [...new CudaCompiler(library, target, `${folder}/kernels`).compile(module)];
      const first = compile(card("a", 9, 0));
      assertEquals(first, [1, 1, 1]);
      assertEquals(compile(card("a", 9, 0)), first);
      assertEquals(compile(card("a", 9, 0), nvrtc, cudaModule("renamed", SOURCE)), first);
      assertEquals(compiled(), 1);
      compile(card("b", 9, 0));
      compile(card("a", 8, 0));
      compile(card("a", 9, 0), nvrtc, cudaModule("other", SOURCE.replace("1", "2")));
      assertEquals(compiled(), 4);
      const newer = madeUpNvrtc(6);
      compile(card("a", 9, 0), newer.nvrtc);
      assertEquals(newer.compiled(), 1);
      return Promise.resolve();
    }),
});

Deno.test({
  name: "CudaCompiler compiles each time where its folder cannot be written",
  ignore: !scratchPermitted() || !permitted({ ffi: true }),
  fn: () =>
    withScratch(async (folder) => {
      await Deno.writeTextFile(`${folder}/file`, "");
      const { nvrtc, compiled } = madeUpNvrtc(), module = cudaModule("one", SOURCE);
      const compiler = new CudaCompiler(nvrtc, card("a", 9, 0), `${folder}/file/kernels`);
      assertEquals([...compiler.compile(module)], [1, 1, 1]);
      assertEquals([...compiler.compile(module)], [2, 2, 2]);
      assertEquals(compiled(), 2);
    }),
});
