import { RunError } from "../../nn/run_files.ts";
import { readRun, withoutRepeated } from "../../report/read_run.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { scratchPermitted, withScratch } from "../scratch.ts";
import { makeSearch } from "./made_up_run.ts";

function test(name: string, body: (folder: string) => void): void {
  const ignore = !scratchPermitted();
  Deno.test({
    name,
    ignore,
    fn: () =>
      withScratch((folder) => {
        body(folder);
        return Promise.resolve();
      }),
  });
}

test("readRun() leaves out damaged lines, and the line that is being written", (folder) => {
  makeSearch(folder, { epochs: 2 });
  const whole = readRun(folder);
  Deno.writeTextFileSync(`${folder}/log.jsonl`, 'no JSON\n[1]\n{"type":"epo', { append: true });
  const damaged = readRun(folder);
  assertEquals(whole.unreadable, 0);
  assertEquals(damaged.unreadable, 2);
  assertEquals(damaged.log, whole.log);
});

test("readRun() reads a folder that holds config.json alone", (folder) => {
  makeSearch(folder);
  for (const { name } of [...Deno.readDirSync(folder)]) {
    if (name !== "config.json") Deno.removeSync(`${folder}/${name}`);
  }
  const { log, timing, alphas, variants, summary, state } = readRun(folder);
  assertEquals([log, timing, alphas, variants, summary], [[], [], [], [], {}]);
  assertEquals(state, { name: "died" });
});

test("readRun() refuses a folder without a run", (folder) => {
  assertThrows(() => readRun(folder), RunError, "config.json is missing");
  Deno.writeTextFileSync(`${folder}/config.json`, '{"kind":"else"}');
  assertThrows(() => readRun(folder), RunError, "not that of a search or a training");
  Deno.writeTextFileSync(`${folder}/config.json`, "no JSON");
  assertThrows(() => readRun(folder), RunError, "not that of a search or a training");
});

Deno.test("withoutRepeated() cuts off what a resumed run repeats", () => {
  const at = (seconds: number, part: string) => ({ seconds, part });
  const lines = [
    at(1, "a"),
    at(2, "a"),
    at(3, "a"),
    { ended: "interrupted" },
    at(2, "b"),
    at(4, "b"),
  ];
  assertEquals(withoutRepeated(lines), [at(1, "a"), at(2, "b"), at(4, "b")]);
});
