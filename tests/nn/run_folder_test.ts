/** Tests of run folders and their files: what is refused, and what a full disk or a crash leaves. */

import { attempt, JsonLines, replaceFile, RunError } from "../../nn/run_files.ts";
import { readRunConfig, RUN_FORMAT, type RunConfig, RunFolder } from "../../nn/run_folder.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { permitted } from "../permitted.ts";

const ignore = !permitted({ read: ["/tmp"], write: ["/tmp"] });

const CONFIG: RunConfig = {
  format: RUN_FORMAT,
  kind: "search",
  options: { epochs: 2 },
  versions: { deno: "2.9.6" },
  backend: "cpu",
  started: "2026-01-01T00:00:00Z",
};

function test(name: string, body: (folder: string) => void): void {
  Deno.test({
    name,
    ignore,
    fn: () => {
      const folder = Deno.makeTempDirSync({ dir: "/tmp", prefix: "pdarts-run-" });
      try {
        body(folder);
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
    },
  });
}

test("RunFolder.create() makes a folder that readRunConfig() and open() accept", (folder) => {
  const path = `${folder}/a/b`;
  RunFolder.create(path, CONFIG)[Symbol.dispose]();
  assertEquals(readRunConfig(path, "search"), CONFIG);
  using run = RunFolder.open(path, "search");
  assertEquals(run.lengths(), { log: 0, alphas: 0 });
});

test("RunFolder.create() refuses a folder that holds a run or other files", (folder) => {
  RunFolder.create(`${folder}/run`, CONFIG)[Symbol.dispose]();
  assertThrows(() => RunFolder.create(`${folder}/run`, CONFIG), RunError, "--resume=");
  assertThrows(() => RunFolder.create(folder, CONFIG), RunError, "not empty");
  Deno.writeTextFileSync(`${folder}/file`, "");
  assertThrows(() => RunFolder.create(`${folder}/file`, CONFIG), RunError, "Cannot make");
});

test("RunFolder.create() takes over a folder where creation was cut short", (folder) => {
  Deno.writeTextFileSync(`${folder}/config.json.tmp`, "{");
  RunFolder.create(folder, CONFIG)[Symbol.dispose]();
  assertEquals(readRunConfig(folder, "search"), CONFIG);
});

test("RunFolder.cutBack() forgets the lines after a checkpoint, but no timing", (folder) => {
  using run = RunFolder.create(`${folder}/run`, CONFIG);
  run.log({ step: 1 });
  const lengths = run.lengths();
  run.log({ step: 2 });
  run.alphas({ epoch: 0 });
  run.timing({ seconds: 3 });
  run.cutBack(lengths);
  run.log({ step: 3 });
  const read = (name: string) => Deno.readTextFileSync(`${folder}/run/${name}.jsonl`);
  assertEquals(["log", "alphas", "timing"].map(read), [
    '{"step":1}\n{"step":3}\n',
    "",
    '{"seconds":3}\n',
  ]);
});

test("RunFolder.cutBack() refuses a log that is shorter than the checkpoint's", (folder) => {
  using run = RunFolder.create(`${folder}/run`, CONFIG);
  assertThrows(() => run.cutBack({ log: 10, alphas: 0 }), RunError, "holds 0 bytes");
});

test("readRunConfig() refuses what is not a run of this kind and format", (folder) => {
  assertThrows(() => readRunConfig(folder, "search"), RunError, "config.json is missing");
  assertThrows(
    () => readRunConfig(`${folder}/absent`, "search"),
    RunError,
    "config.json is missing",
  );
  const write = (text: string) => Deno.writeTextFileSync(`${folder}/config.json`, text);
  write("{");
  assertThrows(() => readRunConfig(folder, "search"), RunError, "is not JSON");
  write(JSON.stringify({ ...CONFIG, format: 99 }));
  assertThrows(() => readRunConfig(folder, "search"), RunError, "its format is 99");
  write(JSON.stringify({ ...CONFIG, kind: "eval" }));
  assertThrows(() => readRunConfig(folder, "search"), RunError, "of kind 'eval'");
});

test("replaceFile() leaves the former file where the new one cannot be written", (folder) => {
  replaceFile(`${folder}/a.json`, "old");
  Deno.mkdirSync(`${folder}/a.json.tmp`);
  assertThrows(() => replaceFile(`${folder}/a.json`, "new"), RunError, "Cannot write");
  assertEquals(Deno.readTextFileSync(`${folder}/a.json`), "old");
});

test("JsonLines continues a file at its end", (folder) => {
  const path = `${folder}/a.jsonl`;
  for (const step of [1, 2]) {
    using lines = new JsonLines(path);
    lines.append({ step });
    assertEquals(lines.sync(), Deno.statSync(path).size);
  }
  assertEquals(Deno.readTextFileSync(path), '{"step":1}\n{"step":2}\n');
});

Deno.test("attempt() words a full disk, a denied folder and others in one sentence", () => {
  const failing = (code: string | undefined, message = "x (os error 1)\n  at y") => () => {
    throw Object.assign(new Error(message), { code });
  };
  const message = (code?: string) =>
    assertThrows(() => attempt("write a", failing(code)), RunError).message;
  assertEquals(message("ENOSPC"), "Cannot write a: no space is left on the disk");
  assertEquals(message("EACCES"), "Cannot write a: the system refuses access");
  assertEquals(message(), "Cannot write a: x (os error 1)");
});
