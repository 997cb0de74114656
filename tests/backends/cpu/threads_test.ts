/** Tests of jobs on threads: every part runs once, failures are told, workers end. */

import { compileKernels } from "../../../backends/cpu/compiler.ts";
import { Arena } from "../../../backends/cpu/memory.ts";
import { MAX_PARTS } from "../../../backends/cpu/protocol.ts";
import { WorkBlocks, writeRecords } from "../../../backends/cpu/records.ts";
import { Threads } from "../../../backends/cpu/threads.ts";
import { MAX_PAGES } from "../../../backends/cpu/variants.ts";
import { ElementwiseCall, layoutBytes } from "../../../backends/cpu/wasm/layouts.ts";
import { BackendError, OutOfMemoryError } from "../../../backends/contract.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { permitted } from "../../permitted.ts";

const MEGABYTE = 1024 * 1024;

/** Starts threads for one test; Deno's sanitizers find a worker that is left. */
function test(name: string, count: number, body: (on: Running) => void): void {
  Deno.test({
    name: `${name} [${count} thread${count > 1 ? "s" : ""}]`,
    ignore: !permitted({ read: ["."], write: [".cache"], env: ["CI"] }),
    fn: async () => {
      const { module } = await compileKernels(".cache/kernels");
      const size = { initial: MAX_PAGES, maximum: MAX_PAGES };
      const memory = new WebAssembly.Memory({ ...size, shared: true });
      const arena = new Arena(memory, 64 * MEGABYTE);
      const threads = await Threads.start(arena, { module, count });
      try {
        body({ arena, threads });
      } finally {
        threads.close();
      }
    },
  });
}

interface Running {
  arena: Arena;
  threads: Threads;
}

/** Tensors of `most` elements for sums a = a + b, where a part that runs twice shows. */
function operands({ arena }: Running, most: number) {
  const [a, b] = [0, 0].map(() => arena.allocate(4 * most));
  arena.floats(b, most).forEach((_, i, values) => values[i] = 2 * i);
  return { a, b, out: a, args: arena.allocate(layoutBytes(ElementwiseCall)) };
}

/** Adds `elements` values in `parts` and asserts that those, and no others, were written. */
function addsRight(
  { arena, threads }: Running,
  { a, b, out, args }: ReturnType<typeof operands>,
  { elements, parts }: { elements: number; parts: number },
): void {
  const values = arena.floats(a, elements + 1).fill(1);
  const call = { a, b, out, elements, parts };
  writeRecords(arena, args, { layout: ElementwiseCall, records: [call] });
  threads.run("addTensors", args, { parts });
  for (let i = 0; i < elements; i++) {
    if (values[i] !== 1 + 2 * i) assertEquals(values[i], 1 + 2 * i, `${i} of ${elements}`);
  }
  assertEquals(values[elements], 1, `behind ${elements} elements`);
}

for (const count of [1, 2, 3, 4]) {
  test("run() runs every part of many small jobs in a row", count, (running) => {
    const tensors = operands(running, 200);
    for (let job = 0; job < 10_000; job++) {
      addsRight(running, tensors, { elements: 1 + job % 150, parts: 1 + job % 16 });
    }
  });

  test("run() runs as many parts as a job may have", count, (running) => {
    const tensors = operands(running, 100_001);
    for (const elements of [1, 511, 100_000]) {
      addsRight(running, tensors, { elements, parts: MAX_PARTS });
    }
  });

  test("run() throws BackendError when a kernel traps, and the next job runs", count, (running) => {
    const { arena, threads } = running, tensors = operands(running, 1000);
    const { a, b, out, args } = tensors;
    for (let time = 0; time < 20; time++) {
      const call = { a, b, out, elements: 1000, parts: 0 }; // divides by the number of parts
      writeRecords(arena, args, { layout: ElementwiseCall, records: [call] });
      const error = assertThrows(() => threads.run("addTensors", args, { parts: 8 }), BackendError);
      assertEquals(error.message, "CPU kernel addTensors failed");
      addsRight(running, tensors, { elements: 1000, parts: 8 });
    }
  });

  test("run() throws BackendError for a kernel that is not there", count, (running) => {
    const tensors = operands(running, 100);
    const run = () => running.threads.run("nothing", tensors.args, { parts: 4 });
    assertThrows(run, BackendError, "CPU kernel nothing failed");
    addsRight(running, tensors, { elements: 99, parts: 4 });
  });

  test("run() gives every thread scratch of its own, and frees it for more", count, (running) => {
    const { arena, threads } = running, tensors = operands(running, 100);
    const before = arena.usage.current;
    for (const scratchBytes of [1000, 500, 100_000]) {
      writeRecords(arena, tensors.args, {
        layout: ElementwiseCall,
        records: [{ ...tensors, elements: 99, parts: 4 }],
      });
      threads.run("addTensors", tensors.args, { parts: 4, scratchBytes });
      const taken = arena.usage.current - before;
      assert(taken >= count * scratchBytes, `${taken} bytes for ${scratchBytes} a thread`);
      assert(taken < count * (100_000 + 10_000));
    }
  });

  test("run() can be called again after scratch did not fit", count, (running) => {
    const { arena, threads } = running, tensors = operands(running, 100);
    const before = arena.usage.current;
    const run = (scratchBytes: number) =>
      threads.run("addTensors", tensors.args, { parts: 1, scratchBytes });
    addsRight(running, tensors, { elements: 99, parts: 1 });
    assertThrows(() => run(65 * MEGABYTE), OutOfMemoryError);
    assertThrows(() => run(Math.ceil(64 * MEGABYTE / count)), OutOfMemoryError);
    assertEquals(arena.usage.current, before, "scratch that was got is given back");
    run(1000);
    addsRight(running, tensors, { elements: 99, parts: 4 });
  });
}

test("close() ends the workers, after which the caller runs jobs alone", 3, (running) => {
  const tensors = operands(running, 1000);
  addsRight(running, tensors, { elements: 999, parts: 16 });
  running.threads.close();
  addsRight(running, tensors, { elements: 999, parts: 16 });
});

test("WorkBlocks frees what it took, also when the call throws", 1, ({ arena }) => {
  const before = arena.usage.current;
  assertThrows(
    () => {
      using work = new WorkBlocks(arena);
      assertEquals([...arena.floats(work.floats([1, 2, 3], 5), 5)], [1, 2, 3, 0, 0]);
      work.take(100_000);
      throw new RangeError("stopped");
    },
    RangeError,
    "stopped",
  );
  assertEquals(arena.usage.current, before);
});
