/** Tests of uploads: of any size, from values that change as soon as the call returns. */

import { assertEquals } from "../../assert.ts";
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
