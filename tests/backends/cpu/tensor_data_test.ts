/** Tests of tensors that stay sums of scaled tensors until somebody reads them. */

import * as tf from "@tensorflow/tfjs-core";
import type { CpuBackend } from "../../../backends/cpu/backend.ts";
import { startCpuBackend } from "../../../backends/cpu/start.ts";
import { type Backend, OutOfMemoryError } from "../../../backends/contract.ts";
import { assertEquals, assertStrictEquals, assertThrows } from "../../assert.ts";
import { permitted } from "../../permitted.ts";

interface Unevaluated {
  backend: Backend;
  cpu: CpuBackend;
  /** The base, `[2, 3]`: 1 to 6. */
  x: tf.Tensor2D;
  /** A tensor of the engine's, x scaled by channel. */
  scaled: (x: tf.Tensor, scale: number[]) => tf.Tensor;
}

function test(name: string, body: (on: Unevaluated) => void): void {
  Deno.test({
    name,
    ignore: !permitted({ read: ["."], write: [".cache"], env: ["CI"] }),
    fn: async () => {
      const backend = await startCpuBackend({ threads: 1 }), cpu = tf.backend() as CpuBackend;
      const before = tf.memory(), bytes = backend.memory().current;
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      const scaled = (x: tf.Tensor, scale: number[]) =>
        tf.engine().makeTensorFromTensorInfo(cpu.scaledView(x, Float32Array.from(scale)));
      try {
        body({ backend, cpu, x, scaled });
        x.dispose();
        assertEquals(tf.memory(), before);
        assertEquals([backend.memory().current, cpu.numDataIds()], [bytes, 0]);
      } finally {
        backend.close();
      }
    },
  });
}

test("scaledView() takes no memory before it is read, and gives the scaled values", (on) => {
  const { backend, x, scaled } = on, { current } = backend.memory();
  const view = scaled(x, [2, 0, -1]);
  assertEquals(backend.memory().current, current);
  assertEquals([...view.dataSync()], [2, 0, -3, 8, 0, -6]);
  assertEquals([...x.dataSync()], [1, 2, 3, 4, 5, 6]);
  assertEquals([...tf.tidy(() => tf.mul(view, 2).dataSync())], [4, 0, -6, 16, 0, -12]);
  view.dispose();
});

test("a view outlives its base, whose memory is freed once the view is read", (on) => {
  const { backend, cpu, scaled } = on, before = backend.memory().current;
  const base = tf.tensor1d([1, 2, 3, 4]), one = backend.memory().current - before;
  const view = scaled(base, [1, 10]);
  base.dispose();
  assertEquals(backend.memory().current, before + one);
  assertEquals([...view.dataSync()], [1, 20, 3, 40]);
  assertEquals(backend.memory().current, before + one);
  assertEquals([tf.memory().numTensors, cpu.numDataIds()], [2, 2], "x and the view");
  view.dispose();
});

test("a view that nobody read frees its base when it is disposed of", (on) => {
  const { backend, scaled } = on, before = backend.memory().current;
  const base = tf.tensor1d([1, 2]), view = scaled(base, [1, 2]);
  base.dispose();
  view.dispose();
  assertEquals(backend.memory().current, before);
});

test("views of views and their sums stay unevaluated", (on) => {
  const { backend, cpu, x, scaled } = on, { current } = backend.memory();
  const first = scaled(x, [1, 2, 3]), second = scaled(first, [10, 10, 0.5]);
  const sum = tf.add(first, second) as tf.Tensor2D;
  assertEquals(backend.memory().current, current);
  const terms = cpu.scaledTerms(sum)!;
  assertEquals(terms.map(({ scale }) => [...scale]), [[1, 2, 3], [10, 20, 1.5]]);
  for (const { base } of terms) assertStrictEquals(base, x.dataId);
  tf.dispose([first, second]);
  assertEquals(sum.arraySync(), [[11, 44, 13.5], [44, 110, 27]]);
  sum.dispose();
});

test("add() evaluates a view that meets values or another shape", (on) => {
  const { cpu, x, scaled } = on, view = scaled(x, [1, 0, 1]), row = tf.tensor1d([1, 2, 3]);
  const [sum, wider] = [tf.add(view, x), tf.add(view, row)];
  assertEquals([cpu.scaledTerms(sum), cpu.scaledTerms(wider)], [undefined, undefined]);
  assertEquals([...sum.dataSync()], [2, 2, 6, 8, 5, 12]);
  assertEquals([...wider.dataSync()], [2, 2, 6, 5, 2, 9]);
  tf.dispose([view, row, sum, wider]);
});

test("a clone and a reshape of a view share what it is evaluated to", (on) => {
  const { backend, x, scaled } = on, view = scaled(x, [1, 1, 2]);
  const others = [tf.clone(view), tf.reshape(view, [6])];
  view.dispose();
  const before = backend.memory().current;
  for (const other of others) assertEquals([...other.dataSync()], [1, 2, 6, 4, 5, 12]);
  assertEquals(backend.memory().current, before + 64);
  tf.dispose(others);
});

test("a view that cannot be evaluated for lack of memory can be later", (on) => {
  const { backend, cpu, x, scaled } = on, view = scaled(x, [3, 2, 1]);
  const { allocate } = cpu.arena, { current } = backend.memory();
  for (const fails of [0, 1]) {
    let calls = 0;
    cpu.arena.allocate = (bytes) => {
      if (calls++ < fails) return allocate.call(cpu.arena, bytes);
      throw new OutOfMemoryError("cpu", { bytesAsked: bytes, bytesInUse: 0, limit: 0 });
    };
    assertThrows(() => view.dataSync(), OutOfMemoryError);
    cpu.arena.allocate = allocate;
    assertEquals(backend.memory().current, current);
  }
  assertEquals([...view.dataSync()], [3, 4, 3, 12, 10, 6]);
  view.dispose();
});
