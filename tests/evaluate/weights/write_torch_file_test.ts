/**
 * Tests of writing PyTorch's files: what is written is read again, and lies where PyTorch wants it.
 * `bench/peers/pytorch/check_weight_file.py` has PyTorch itself load what is written.
 */

import { decodeTorchFile } from "../../../evaluate/weights/torch_file.ts";
import { encodeTorchFile } from "../../../evaluate/weights/write_torch_file.ts";
import type { HostTensor } from "../../../nn/safetensors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";

const TENSORS = new Map<string, HostTensor>([
  ["cells.0._ops.1.op.1.weight", {
    shape: [2, 1, 3],
    data: Float32Array.of(1, -2, 3.5, NaN, Infinity, -0),
  }],
  ["stem.1.num_batches_tracked", { shape: [], data: BigInt64Array.of(-5n) }],
  ["long", { shape: [70000], data: Float32Array.from({ length: 70000 }, (_, i) => i) }],
  ["doubles", { shape: [2], data: Float64Array.of(Math.PI, 1e-300) }],
  ["words", { shape: [1], data: Int32Array.of(-7) }],
  ["bytes", { shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ["none", { shape: [0, 4], data: new Float32Array(0) }],
]);

for (const format of ["zip", "legacy"] as const) {
  Deno.test(`encodeTorchFile() writes what decodeTorchFile() reads, ${format}`, async () => {
    const decoded = await decodeTorchFile(await encodeTorchFile(TENSORS, format));
    assertEquals([...decoded], [...TENSORS]);
  });

  Deno.test(`encodeTorchFile() writes equal bytes of equal weights, ${format}`, async () => {
    const [first, second] = [
      await encodeTorchFile(TENSORS, format),
      await encodeTorchFile(TENSORS, format),
    ];
    assertEquals(first, second);
  });
}

Deno.test("encodeTorchFile() aligns each storage to 64 bytes", async () => {
  const bytes = await encodeTorchFile(TENSORS), view = new DataView(bytes.buffer);
  const names: string[] = [];
  // Local headers: signature, sizes at 18, lengths of the name and the extra field at 26 and 28.
  for (let at = 0; view.getUint32(at, true) === 0x04034b50;) {
    const nameEnd = at + 30 + view.getUint16(at + 26, true);
    const data = nameEnd + view.getUint16(at + 28, true);
    names.push(new TextDecoder().decode(bytes.subarray(at + 30, nameEnd)));
    assertEquals(data % 64, 0, names.at(-1));
    at = data + view.getUint32(at + 18, true);
  }
  assertEquals(names.length, TENSORS.size + 3);
  assert(names.includes("archive/data/6"));
});

Deno.test("encodeTorchFile() throws when PyTorch has no such elements", async () => {
  const tensors = new Map([["a", { shape: [1], data: Uint32Array.of(1) }]]);
  await assertRejects(() => encodeTorchFile(tensors), TypeError, "got a Uint32Array");
});
