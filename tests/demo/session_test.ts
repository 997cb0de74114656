/** Tests of the demo's search, without a browser. */

import type { Backend } from "../../backends/contract.ts";
import { startCpuBackend } from "../../backends/cpu/start.ts";
import type { News } from "../../demo/messages.ts";
import { Session } from "../../demo/session.ts";
import { assert, assertEquals } from "../assert.ts";
import { loadSample } from "../datasets/sample.ts";
import { permitted } from "../permitted.ts";

function test(name: string, fn: (backend: Backend) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !permitted({ read: ["."], env: ["CI"] }),
    fn: async () => {
      const backend = await startCpuBackend({ threads: 2, wideTiles: false });
      try {
        await fn(backend);
      } finally {
        backend.close();
      }
    },
  });
}

/** What a session tells, without what differs from run to run; paused and resumed at step `pauseAt`. */
async function newsOf(backend: Backend, { pauseAt }: { pauseAt?: number } = {}): Promise<News[]> {
  const news: News[] = [];
  let steps = 0;
  const session = new Session({
    settings: { seed: 3, epochs: 1, images: 32 },
    data: loadSample(),
    backend,
    tell(told) {
      if (told.type === "step" && ++steps === pauseAt) session.pause();
      if (told.type === "done") news.push({ ...told, seconds: 0 });
      else if (told.type !== "step") news.push(told);
    },
  });
  await session.run();
  if (pauseAt) {
    assertEquals(news.pop(), { type: "paused" });
    await session.run();
  }
  return news;
}

test("Session tells the same with a pause as without", async (backend) => {
  const whole = await newsOf(backend);
  assertEquals(whole.filter(({ type }) => type === "architecture").length, 3);
  assertEquals(whole.at(-1)!.type, "done");
  assertEquals(await newsOf(backend, { pauseAt: 6 }), whole);
});

test("Session derives each epoch's cells from the primitives of its stage", async (backend) => {
  const architectures = (await newsOf(backend)).filter((told) => told.type === "architecture");
  assertEquals(architectures.map(({ normal }) => normal.kept[0].length), [8, 5, 3]);
  for (const { normal, reduce, genotype } of architectures) {
    assert(normal.weights.every((row, edge) => row.length === normal.kept[edge].length));
    assert(reduce.weights.every((row, edge) => row.length === reduce.kept[edge].length));
    assertEquals(genotype.normal.length, 8);
  }
});
