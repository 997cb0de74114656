import { RunFolder } from "../../nn/run_folder.ts";
import { findRuns, resumeCommand, runsText } from "../../report/list_runs.ts";
import { readRun } from "../../report/read_run.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { scratchPermitted, withScratch } from "../scratch.ts";
import { makeSearch, makeTraining } from "./made_up_run.ts";

function test(name: string, fn: (folder: string) => void): void {
  const body = (folder: string) => Promise.resolve(fn(folder));
  Deno.test({ name, ignore: !scratchPermitted(), fn: () => withScratch(body) });
}

test("readRun() tells how a run stands", (folder) => {
  const states = () => readRun(folder).state;
  makeSearch(folder, { finished: false });
  assertEquals(states(), { name: "died" });
  {
    using run = RunFolder.open(folder, "search");
    assertEquals(states(), { name: "running" });
    run.timing({ ended: "terminated" });
  }
  assertEquals(states(), { name: "interrupted" });
  {
    using run = RunFolder.open(folder, "search");
    run.timing({ ended: "failed", reason: "Cannot continue: too warm" });
  }
  assertEquals(states(), { name: "failed", reason: "Cannot continue: too warm" });
  makeSearch(folder, { finished: true });
  assertEquals(states(), { name: "finished" });
});

test("findRuns() finds runs, and the training in a search's folder", (folder) => {
  makeSearch(`${folder}/b`);
  makeTraining(`${folder}/b/eval`);
  makeTraining(`${folder}/a`);
  assertEquals(findRuns(folder), [`${folder}/a`, `${folder}/b`, `${folder}/b/eval`]);
});

test("runsText() gives state, best figure, place, folder, and the command that resumes", (folder) => {
  makeSearch(`${folder}/a`);
  makeTraining(`${folder}/b`, { finished: false });
  assertEquals(
    runsText([`${folder}/a`, `${folder}/b`], { colour: false }),
    `finished      25.00 %  stage 3/3, epoch 3/3      ${folder}/a\n` +
      `died          75.00 %  epoch 3/3                 ${folder}/b\n` +
      // Tests write below .cache, which the task's permission set opens too.
      `  deno task eval train --resume=${folder}/b\n`,
  );
});

test("resumeCommand() grants what the run's data needs", (folder) => {
  makeSearch(folder, { finished: false });
  const run = readRun(folder);
  const command = resumeCommand({ ...run, options: { data: "/data/cifar" } })!;
  assertStringIncludes(command, "--allow-read=.,/tmp,/usr/bin/ldd,/data/cifar");
  assertStringIncludes(command, `--resume=${folder}`);
});

test("runsText() passes nothing on that a terminal would obey", (folder) => {
  makeSearch(folder, { finished: false });
  const line = JSON.stringify({ ended: "failed", reason: "\x1b[2Jgone\nnext" });
  Deno.writeTextFileSync(`${folder}/timing.jsonl`, `${line}\n`);
  assertStringIncludes(runsText([folder], { colour: false }), "  ?[2Jgone next\n");
});
