/** Tests of whole trainings on a few images: what they leave, and how they go on after an end. */

import { decodeSafetensors } from "../../nn/safetensors.ts";
import { DARTS_V2 } from "../../nn/genotypes.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../assert.ts";
import { permitted } from "../permitted.ts";
import { ended, inFolder, programsPermitted, run, start } from "../search/program.ts";
import { evaluateHere, TINY_TRAINING } from "./program.ts";

const TINY_EVAL = "tests/evaluate/tiny_eval.ts";

function test(name: string, body: (folder: string) => Promise<void>): void {
  const needed = { read: [".", "/tmp"], write: [".cache", "/tmp"], env: ["CI"] };
  Deno.test({ name, ignore: !permitted(needed), fn: () => inFolder(body) });
}

function testProgram(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore: !programsPermitted(), fn: () => inFolder(body) });
}

function linesOf(path: string): Record<string, number & string>[] {
  return Deno.readTextFileSync(path).trim().split("\n").map((line) => JSON.parse(line));
}

/** What must not depend on how often a training was cut short. */
function resultsOf(folder: string): unknown {
  const { seconds: _, ...summary } = JSON.parse(Deno.readTextFileSync(`${folder}/summary.json`));
  const { tensors } = decodeSafetensors(Deno.readFileSync(`${folder}/best.safetensors`));
  return [Deno.readTextFileSync(`${folder}/log.jsonl`), summary, [...tensors]];
}

test("a training leaves its log, its summary and the weights of the best test", async (folder) => {
  const { outcome, output } = await evaluateHere([
    "train",
    ...TINY_TRAINING,
    `--save=${folder}/run`,
  ]);
  assertEquals(outcome, "done");
  assertMatch(output, /Best test: top-1 \d+\.\d\d % \(error \d+\.\d\d %\), top-5/);
  const log = linesOf(`${folder}/run/log.jsonl`);
  const steps = ["report", "report", "report", "epoch", "report", "report", "test"];
  assertEquals(log.map(({ type }) => type as string), ["network", ...steps, ...steps]);
  const tests = log.filter(({ type }) => type === "test");
  const epochs = log.filter(({ type }) => type === "epoch");
  assertEquals([...epochs, ...tests].map(({ samples }) => Number(samples)), [20, 20, 12, 12]);
  const best = tests.reduce((a, b) => b.top1 > a.top1 ? b : a);
  const { metadata, tensors } = decodeSafetensors(
    Deno.readFileSync(`${folder}/run/best.safetensors`),
  );
  assertEquals(JSON.parse(metadata.genotype), DARTS_V2);
  assertEquals(JSON.parse(metadata.test).top1, best.top1);
  assert(
    tensors.has("auxiliary_head.classifier.weight") && tensors.has("cells.0._ops.0.op.1.weight"),
  );
  const summary = JSON.parse(Deno.readTextFileSync(`${folder}/run/summary.json`));
  assertEquals([summary.best.epoch, summary.last.epoch], [best.epoch, 2]);
});

test("a training with tests that are due now and then always tests its last epoch", async (folder) => {
  const options = [...TINY_TRAINING, "--epochs=3", "--test-every=2", "--auxiliary=off"];
  await evaluateHere(["train", ...options, `--save=${folder}/run`]);
  const tests = linesOf(`${folder}/run/log.jsonl`).filter(({ type }) => type === "test");
  assertEquals(tests.map(({ epoch }) => Number(epoch)), [2, 3]);
});

testProgram(
  "a training that is killed and interrupted resumes to the same bits",
  async (folder) => {
    const options = ["train", ...TINY_TRAINING, "--backend=cpu", "--checkpoint-minutes=0"];
    await evaluateHere([...options, `--save=${folder}/unbroken`]);
    const path = `${folder}/run`;
    let process = start(TINY_EVAL, [...options, `--save=${path}`]);
    await untilLines(path, 3);
    process.kill("SIGKILL");
    assertEquals((await ended(process)).code, 137);
    process = start(TINY_EVAL, ["train", `--resume=${path}`]);
    await untilLines(path, 7);
    process.kill("SIGINT");
    const { code, stdout, stderr } = await ended(process);
    assertEquals(code, 130, stderr);
    assertStringIncludes(stdout, `Saved. To continue: tiny-eval train --resume=${path}`);
    const last = await run(TINY_EVAL, ["train", `--resume=${path}`, "--threads=1"]);
    assertEquals(last.code, 0, last.stderr);
    assertEquals(resultsOf(path), resultsOf(`${folder}/unbroken`));
  },
);

/** Waits until a run's log has more than so many lines. */
async function untilLines(path: string, lines: number): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    try {
      if (Deno.readTextFileSync(`${path}/log.jsonl`).split("\n").length > lines) return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

test("a training that does not fit in memory says a batch that does", async (folder) => {
  const memoryLimit = 32 * 1024 * 1024;
  const options = ["train", ...TINY_TRAINING, "--auxiliary=off", "--train-images=384"];
  const train = (batch: number, name: string) =>
    evaluateHere([...options, `--batch=${batch}`, "--epochs=1", `--save=${folder}/${name}`], {
      memoryLimit,
    });
  const { message } = await assertRejects(() => train(384, "large"));
  const batch = Number(/start anew with --batch=(\d+)/.exec(message)?.[1]);
  assert(batch >= 1 && batch < 384, message);
  assertEquals((await train(batch, "fitting")).outcome, "done");
});
