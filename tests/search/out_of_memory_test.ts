/**
 * Tests of a search whose batch does not fit: what the message says, what stays, and how it goes on.
 *
 * The whole program runs here with a backend of little memory, as no option sets that.
 */

import { startCpuBackend } from "../../backends/cpu/start.ts";
import { batchToTry, OutOfMemoryError } from "../../backends/contract.ts";
import { readCheckpoint } from "../../nn/checkpoint.ts";
import { type StageState, StageTrainer } from "../../search/stage_trainer.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "../assert.ts";
import { permitted } from "../permitted.ts";
import { searchHere } from "./in_process.ts";
import { inFolder, TINY_NETWORK } from "./program.ts";
import { tinyBatch, tinySettings } from "./tiny_network.ts";

const MEGABYTE = 1024 * 1024, LIMIT = 32 * MEGABYTE;

function test(name: string, fn: () => Promise<void>): void {
  const needed = { read: [".", "/tmp"], write: [".cache", "/tmp"], env: ["CI"] };
  Deno.test({ name, ignore: !permitted(needed), fn });
}

/** Runs the program with so much memory; resolves to its outcome. */
function search(args: string[], memoryLimit?: number): Promise<string> {
  return searchHere(args, (options) => startCpuBackend({ ...options, memoryLimit }));
}

function sameTensors(state: StageState, expected: StageState): void {
  assertEquals(state.counters, expected.counters);
  for (const [name, { data }] of expected.tensors) {
    assertEquals(state.tensors.get(name)!.data, data, name);
  }
}

test("a batch too large for the memory changes nothing, and a smaller one trains on", async () => {
  const backend = await startCpuBackend({ threads: 2, memoryLimit: LIMIT });
  const trainer = new StageTrainer(tinySettings()), large = tinyBatch(1, 4096);
  trainer.weightStep(tinyBatch(2));
  const state = await trainer.state(), { current } = backend.memory();
  for (const step of ["weightStep", "alphaStep", "evaluate"] as const) {
    const error = assertThrows(() => trainer[step](large), OutOfMemoryError) as OutOfMemoryError;
    const { bytesAsked, bytesInUse } = error;
    assert(bytesInUse + bytesAsked > LIMIT / 2 && bytesInUse <= LIMIT, error.message);
    assertEquals(error.message.match(/\d+/g), [bytesAsked, bytesInUse, LIMIT].map(String));
    assertEquals(backend.memory().current, current, step);
    sameTensors(await trainer.state(), state);
    const batch = batchToTry(error, large.size);
    assert(batch >= 1 && batch < large.size, `${batch}`);
    trainer[step](tinyBatch(3, 16));
    trainer.restore(state);
  }
  trainer.dispose();
  backend.close();
});

test("the search says the bytes and batches that fit", () =>
  inFolder(async (folder) => {
    const run = (name: string, batch: number, ...options: string[]) =>
      search(
        [
          ...TINY_NETWORK,
          "--train-images=40",
          `--batch=${batch}`,
          `--save=${folder}/${name}`,
          ...options,
        ],
        LIMIT,
      );
    const { message } = await assertRejects(() => run("large", 40));
    const found =
      /^Cannot allocate \d+ bytes on cpu: \d+ of \d+ bytes are in use; start anew with --batch=(\d+), or with --memory=low --batch=(\d+)$/
        .exec(message);
    assert(found, message);
    const batch = Number(found[1]), low = Number(found[2]);
    assert(batch >= 8 && batch < low && low < 40, message);
    assertEquals(await run("fitting", batch), "done");
    assertEquals(await run("low", low, "--memory=low"), "done");
    const ofLow = await assertRejects(() => run("large too", 40, "--memory=low"));
    assertMatch(ofLow.message, /bytes are in use; start anew with --batch=\d+$/);
  }));

test("a search that runs out of memory in a later stage keeps its checkpoint", () =>
  inFolder(async (folder) => {
    const path = `${folder}/run`;
    const options = [...TINY_NETWORK, "--train-images=8", "--batch=8", "--added-channels=0,46,0"];
    const { message } = await assertRejects(() => search([...options, `--save=${path}`], LIMIT));
    assertMatch(message, /start anew with --batch=\d+; the last checkpoint stays/);
    assert(message.includes(`--resume=${path}`), message);
    const { checkpoint, notes } = (await readCheckpoint(path))!;
    assertEquals([notes, (checkpoint.state as { state: { stage: number } }).state.stage], [[], 0]);
    assertEquals(await search([`--resume=${path}`]), "done");
  }));

test("a search whose later stage fits with low memory goes on with it", () =>
  inFolder(async (folder) => {
    const options = [...TINY_NETWORK, "--train-images=12", "--batch=12", "--layers=3,9,3"];
    const { message } = await assertRejects(
      () => search([...options, `--save=${folder}/run`], LIMIT),
    );
    assertMatch(message, /; use --memory=low, or start anew with --batch=\d+; the last checkpoint/);
    const resume = [`--resume=${folder}/run`, "--memory=low"];
    assert(message.endsWith(resume.join(" ")), message);
    assertEquals(await search(resume, LIMIT), "done");
  }));
