/** Tests of the workers that decode: what ends them, and what becomes of those who wait. */

import { DecodePool, type DecodePoolOptions } from "../../datasets/decode_pool.ts";
import type { DecodeTask } from "../../datasets/decode_work.ts";
import { DatasetError } from "../../datasets/types.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { permitted } from "../permitted.ts";

const ignore = !permitted({
  read: [".", "/usr/bin/ldd"],
  env: ["MALLOC_ARENA_MAX", "npm_package_config_libvips"],
  ffi: true,
});

/** A worker made of this text. */
const madeWorker = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`);

function makePool(options: Partial<DecodePoolOptions>): DecodePool {
  return new DecodePool({ roots: ["tests"], workers: 2, ...options });
}

const task = (path: string): DecodeTask => ({
  path,
  work: { kind: "test", transform: { resize: 4, size: 4 } },
  key: [0, 0],
});

Deno.test({
  name: "load() rejects, now and later, when a worker ends",
  ignore,
  fn: async () => {
    const dying = makePool({ module: madeWorker("onmessage = () => { throw new Error('gone') }") });
    using pool = dying;
    const waiting = ["a", "b", "c"].map((path) => pool.load(task(path), pool.group()));
    for (const result of waiting) {
      await assertRejects(() => result, DatasetError, "a worker ended: Uncaught Error: gone");
    }
    await assertRejects(() => pool.load(task("d"), pool.group()), DatasetError, "a worker ended");
  },
});

Deno.test({
  name: "load() rejects when a worker cannot start",
  ignore,
  fn: async () => {
    using pool = makePool({ module: new URL("no_such_worker.ts", import.meta.url) });
    await assertRejects(() => pool.load(task("a"), pool.group()), DatasetError, "a worker ended");
  },
});

Deno.test({
  name: "load() rejects what waits when the pool is disposed",
  ignore,
  fn: async () => {
    const pool = makePool({ module: madeWorker("onmessage = () => {}") });
    const waiting = pool.load(task("a"), pool.group());
    pool[Symbol.dispose]();
    await assertRejects(() => waiting, DatasetError, "the workers were ended");
    await assertRejects(() => pool.load(task("b"), pool.group()), DatasetError, "were ended");
    pool[Symbol.dispose]();
  },
});

Deno.test({
  name: "load() gives the reason of an unreadable image, and rejects with any other error",
  ignore,
  fn: async () => {
    using pool = makePool({ workers: 1 });
    const result = await pool.load(task("tests/assert.ts"), pool.group());
    assert("reason" in result && result.reason.includes("image"), JSON.stringify(result));
    // The worker may read the images' folders alone, whatever this process may.
    const outside = await pool.load(task("datasets/mod.ts"), pool.group())
      .catch((error: Error) => ({ reason: error.message }));
    assert("reason" in outside && /read/.test(outside.reason), JSON.stringify(outside));
    assert(!("reason" in outside && outside.reason.includes("not a JPEG")));
  },
});

Deno.test({
  name: "cancel() drops the tasks of its group alone",
  ignore,
  fn: async () => {
    // Answers each task with the number of tasks it has been told to drop.
    const worker = `
      const dropped = [];
      onmessage = ({ data }) => {
        if (data.kind === "cancel") dropped.push(data.group);
        else if (data.task.path !== "held") postMessage({ id: data.id, result: { reason: dropped.join() } });
      };`;
    using pool = makePool({ workers: 1, module: madeWorker(worker) });
    const [first, second] = [pool.group(), pool.group()];
    let settled = false;
    pool.load(task("held"), first).finally(() => settled = true).catch(() => {});
    pool.cancel(first);
    assertEquals(await pool.load(task("a"), second), { reason: `${first}` });
    assertEquals(settled, false);
  },
});

Deno.test("DecodePool() throws when there is to be no worker", () => {
  for (const workers of [0, 1.5, -1]) {
    assertThrows(() => makePool({ workers }), RangeError, "want 1");
  }
});
