/** Tests of starting and closing the CPU backend, its account, and what it refuses. */

import * as tf from "@tensorflow/tfjs-core";
import { CPU_BACKEND } from "../../../backends/cpu/backend.ts";
import { startCpuBackend } from "../../../backends/cpu/start.ts";
import { type Backend, type BackendOptions, OutOfMemoryError } from "../../../backends/contract.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { permitted } from "../../permitted.ts";

const MEGABYTE = 1024 * 1024;

/** A test that leaves no worker, as Deno's sanitizers see, and no backend of ours. */
function test(name: string, body: () => Promise<void>): void {
  Deno.test({
    name,
    ignore: !permitted({ read: ["."], write: [".cache"], env: ["CI"] }),
    fn: async () => {
      await body();
      assertEquals(tf.findBackend(CPU_BACKEND), null);
    },
  });
}

async function withBackend(
  options: BackendOptions,
  body: (backend: Backend) => void | Promise<void>,
): Promise<void> {
  const backend = await startCpuBackend(options);
  try {
    await body(backend);
  } finally {
    backend.close();
  }
}

test("startCpuBackend() makes the backend current and describes it", async () => {
  for (const [threads, relaxedSimd] of [[1, false], [3, true]] as const) {
    await withBackend({ threads, relaxedSimd, wideTiles: relaxedSimd }, (backend) => {
      assertEquals([backend.name, backend.tfjsName, tf.getBackend()], [
        "cpu",
        CPU_BACKEND,
        CPU_BACKEND,
      ]);
      assertEquals(
        backend.description,
        threads === 1
          ? "cpu, 1 thread, SIMD WebAssembly"
          : "cpu, 3 threads, relaxed SIMD WebAssembly, wide tiles",
      );
      assertEquals([...tf.add([1, 2], [3, 4]).dataSync()], [4, 6]);
    });
  }
  await withBackend(
    {},
    ({ description }) =>
      assert(description.startsWith(`cpu, ${navigator.hardwareConcurrency} thread`), description),
  );
});

test("startCpuBackend() refuses threads and limits that are none", async () => {
  for (const threads of [0, -1, 65, 1.5, NaN]) {
    await assertRejects(
      () => startCpuBackend({ threads }),
      RangeError,
      `Cannot start CPU threads: want 1 to 64, got ${threads}`,
    );
  }
  for (const memoryLimit of [0, -5, NaN]) {
    await assertRejects(
      () => startCpuBackend({ memoryLimit }),
      RangeError,
      `Cannot limit CPU memory: want bytes above 0, got ${memoryLimit}`,
    );
  }
});

test("a backend that is started again has memory and threads of its own", async () => {
  await withBackend({ threads: 2 }, async (first) => {
    const old = tf.zeros([1000]);
    await withBackend({ threads: 1 }, (second) => {
      assertEquals(second.memory().current, 0);
      const x = tf.tensor1d([1, 2, 3]);
      assertEquals([...tf.add(x, x).dataSync()], [2, 4, 6]);
      first.close(); // was replaced: the second stays
      assertEquals(tf.getBackend(), CPU_BACKEND);
      assertEquals([...tf.square(x).dataSync()], [1, 4, 9]);
      old.dispose();
    });
  });
});

test("close() can be called twice, and the backend started after it", async () => {
  for (let time = 0; time < 3; time++) {
    const backend = await startCpuBackend({ threads: 2 });
    assertEquals([...tf.sum(tf.ones([1000])).dataSync()], [1000]);
    backend.close();
    backend.close();
  }
});

test("memory() counts the bytes of tensors, and returns to none", () =>
  withBackend({ threads: 2 }, (backend) => {
    assertEquals(backend.memory().current, 0);
    const x = tf.zeros([MEGABYTE]), { current, reserved } = backend.memory();
    assert(current >= 4 * MEGABYTE && current < 4.1 * MEGABYTE, `${current}`);
    assert(reserved >= current);
    const view = tf.reshape(x, [1024, 1024]); // shares its values
    assertEquals(backend.memory().current, current);
    tf.tidy(() => void tf.add(x, tf.ones([MEGABYTE])));
    assertEquals(backend.memory().current, current);
    assert(backend.memory().peak >= 3 * 4 * MEGABYTE);
    backend.resetPeak();
    assertEquals(backend.memory().peak, current);
    x.dispose();
    assertEquals(backend.memory().current, current, "the other tensor still has them");
    view.dispose();
    assertEquals(backend.memory().current, 0);
  }));

test("memoryLimit bounds what tensors take, and a smaller call works after it", () =>
  withBackend({ threads: 2, memoryLimit: 8 * MEGABYTE }, (backend) => {
    const x = tf.ones([MEGABYTE / 2]), { current } = backend.memory();
    const double = (values: tf.Tensor) => tf.tidy(() => tf.sum(tf.add(values, values)).dataSync());
    const copies: tf.Tensor[] = [];
    assertThrows(() => {
      for (;;) copies.push(tf.add(x, x));
    }, OutOfMemoryError);
    assertEquals(copies.length, 2);
    tf.dispose(copies);
    assertEquals(backend.memory().current, current);
    assertEquals([...double(x)], [MEGABYTE]);
    assert(backend.memory().reserved <= 8 * MEGABYTE);
    x.dispose();
  }));
