/** Tests of uploads: of any size, from values that change as soon as the call returns. */

import * as tf from "@tensorflow/tfjs-core";
import { type CudnnBackend, startCudnnBackend } from "../../../backends/cudnn/backend.ts";
import { copyBlocks } from "../../../backends/cudnn/kernels/copy_blocks.ts";
import { assert, assertEquals } from "../../assert.ts";
import { EMULATOR_FOLDER } from "../../cuda_emulator/build.ts";
import { openEmulator } from "../../cuda_emulator/emulator.ts";
import { cudnnTest } from "./cudnn_test_case.ts";

/** Bytes of a block that uploads go through. */
const BLOCK = 1 << 23;

cudnnTest("upload() takes values of any size, which may change at once", ({ cudnn, emulator }) => {
  emulator.setDeferred(true);
  const sizes = [1, 63, 65, BLOCK - 8, 3 * BLOCK + 4, 2 * BLOCK, 7],
    source = new Uint8Array(4 * BLOCK);
  const expected = (size: number, at: number) => (at * 7 + size) % 251;
  const uploads = sizes.map((size) => {
    const info = cudnn.allocate([Math.ceil(size / 4)]), part = source.subarray(0, size);
    part.forEach((_, at) => part[at] = expected(size, at));
    cudnn.upload(part, cudnn.address(info));
    return { size, info };
  });
  source.fill(255);
  for (const { size, info } of uploads) {
    const values = cudnn.readSync(info.dataId) as Float32Array;
    const bytes = new Uint8Array(values.buffer, 0, size);
    const wrong = bytes.findIndex((byte, at) => byte !== expected(size, at));
    assertEquals(wrong, -1, `${size} bytes`);
    cudnn.disposeData(info.dataId);
  }
});

cudnnTest("address() uploads values of every kind of number", ({ backend, cudnn }) => {
  const cases = [
    { values: new Float32Array([1.5, -2]), dtype: "float32" },
    { values: new Int32Array([1, -2]), dtype: "float32" },
    { values: new Int32Array([7, -8]), dtype: "int32" },
    { values: new Uint8Array([1, 0]), dtype: "bool" },
  ] as const;
  for (const { values, dtype } of cases) {
    const info = { dataId: cudnn.write(values, [2], dtype), shape: [2], dtype };
    cudnn.address(info);
    const read = cudnn.readSync(info.dataId) as Float32Array;
    assertEquals([...read], [...values], `${values.constructor.name} as ${dtype}`);
    cudnn.disposeData(info.dataId);
  }
  assertEquals(backend.memory().current, 0);
});

/** Bytes that have a stream of their own. */
const LARGE = 1 << 20;

for (const deferred of [true, "others first"] as const) {
  const order = deferred === true ? "late" : "early";
  cudnnTest(`upload() leaves the old values to what was launched before it, ${order}`, (test) => {
    const { cudnn, emulator } = test, elements = LARGE / 4;
    const info = cudnn.allocate([elements]), copy = cudnn.allocate([elements]);
    cudnn.upload(new Float32Array(elements).fill(1), cudnn.address(info));
    emulator.setDeferred(deferred);
    copyBlocks(cudnn, [{ from: cudnn.address(info), to: cudnn.address(copy) }]);
    cudnn.upload(new Float32Array(elements).fill(2), cudnn.address(info));
    for (const [{ dataId }, expected] of [[info, 2], [copy, 1]] as const) {
      const values = cudnn.readSync(dataId) as Float32Array;
      assert(values.every((value) => value === expected), `${values[0]}, not ${expected}`);
      cudnn.disposeData(dataId);
    }
  });
}

cudnnTest(
  "upload() sends large pieces on a stream of their own",
  async (test) => {
    test.backend.close();
    const libraries = await openEmulator(), streams: bigint[] = [];
    const spied: typeof libraries.cuda.cuMemcpyHtoDAsync_v2 = (to, from, bytes, stream) => {
      streams.push(stream);
      return libraries.cuda.cuMemcpyHtoDAsync_v2(to, from, bytes, stream);
    };
    const cuda = { ...libraries.cuda, cuMemcpyHtoDAsync_v2: spied };
    const options = { engines: "heuristic", cacheDir: EMULATOR_FOLDER } as const;
    const backend = await startCudnnBackend(options, { ...libraries, cuda });
    const cudnn = tf.backend() as unknown as CudnnBackend, info = cudnn.allocate([LARGE / 4]);
    for (const bytes of [4, LARGE, 4, LARGE]) {
      cudnn.upload(new Uint8Array(bytes), cudnn.address(info));
    }
    assertEquals([streams[0], streams[1]], [streams[2], streams[3]]);
    assert(streams[0] !== streams[1], "small and large uploads go through one stream");
    backend.close();
  },
);
