/** Tests of runs that are cut short: by SIGKILL at random moments, by Ctrl-C, and with damaged checkpoints. */

import { CHECKPOINT_FILE } from "../../nn/checkpoint.ts";
import { CounterRandom } from "../../backends/random.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { ended, inFolder, programsPermitted, run, start } from "./program.ts";

const TINY_SEARCH = "tests/search/tiny_search.ts";

/** A search of three stages with two epochs of two steps each, and a checkpoint after every step. */
const OPTIONS = [
  "--epochs=2",
  "--alpha-from-epoch=1",
  "--validation-epochs=1",
  "--layers=3,3,3",
  "--channels=2",
  "--batch=8",
  "--train-images=14",
  "--report-every=1",
  "--checkpoint-minutes=0",
];

/** Everything that must not depend on how often a run was cut short. */
const RESULTS = ["log.jsonl", "alphas.jsonl", "genotypes.json", "genotype.py", "normal_cell.svg"];

const ignore = !programsPermitted();
let unbroken: Promise<Unbroken> | undefined;

/** What a run that nothing disturbed gave, and how long it took, in ms. */
interface Unbroken {
  results: Record<string, string>;
  milliseconds: number;
}

function resultsOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    RESULTS.map((name) => [name, Deno.readTextFileSync(`${folder}/${name}`)]),
  );
}

/** A run that nothing disturbs, made once. */
function unbrokenRun(): Promise<Unbroken> {
  return unbroken ??= (async () => {
    let results: Record<string, string> = {};
    const begun = performance.now();
    await inFolder(async (folder) => {
      const { code, stderr } = await run(TINY_SEARCH, [...OPTIONS, `--save=${folder}/run`]);
      assertEquals(code, 0, stderr);
      results = resultsOf(`${folder}/run`);
    });
    return { results, milliseconds: performance.now() - begun };
  })();
}

async function unbrokenResults(): Promise<Record<string, string>> {
  return (await unbrokenRun()).results;
}

function test(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => inFolder(body) });
}

/** Starts a run and waits until its log has so many lines. */
async function startUntil(folder: string, lines: number): Promise<Deno.ChildProcess> {
  const process = start(TINY_SEARCH, [...OPTIONS, `--save=${folder}/run`]);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    try {
      const log = Deno.readTextFileSync(`${folder}/run/log.jsonl`);
      if (log.split("\n").length > lines) return process;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

test("a search killed at random moments resumes to the unbroken result", async (folder) => {
  const seed = Date.now() % 1e6;
  const random = new CounterRandom(seed);
  const resume = () => start(TINY_SEARCH, [`--resume=${folder}/run`]);
  const { milliseconds: whole } = await unbrokenRun();
  let process = await startUntil(folder, 1 + random.integer(3)), kills = 0;
  for (let code = -1; code !== 0;) {
    // The first soon, as the run has begun already; then ever later, so that it gets to the end.
    const share = kills === 0 ? 0.2 * random.uniform() : 0.3 + 0.6 * random.uniform();
    const milliseconds = whole * share * (1 + kills / 5);
    const timer = setTimeout(() => process.kill("SIGKILL"), milliseconds);
    const outcome = await ended(process);
    clearTimeout(timer);
    code = outcome.code;
    if (code === 0) break;
    assertEquals(code, 137, `seed ${seed}: ${outcome.stderr}`);
    kills++;
    process = resume();
  }
  console.log(`killed ${kills} times, seed ${seed}`);
  assert(kills > 0);
  assertEquals(resultsOf(`${folder}/run`), await unbrokenResults(), `seed ${seed}`);
});

/** Stops a run by a signal and resumes it. */
async function assertSaves(folder: string, signal: Deno.Signal, exit: number): Promise<void> {
  const process = await startUntil(folder, 6);
  process.kill(signal);
  const { code, stdout, stderr } = await ended(process);
  assertEquals(code, exit, stderr);
  assertStringIncludes(stdout, `Saved. To continue: tiny-search --resume=${folder}/run`);
  assertStringIncludes(stderr, "Stopping after this step");
  const resumed = await run(TINY_SEARCH, [`--resume=${folder}/run`]);
  assertEquals(resumed.code, 0, resumed.stderr);
  assertEquals(resultsOf(`${folder}/run`), await unbrokenResults());
}

test("a search stopped by Ctrl-C saves, says how to resume, and resumes exactly", (folder) =>
  assertSaves(folder, "SIGINT", 130));

test("a search stopped by SIGTERM saves, says how to resume, and resumes exactly", (folder) =>
  assertSaves(folder, "SIGTERM", 143));

test("a search whose newest checkpoint is damaged resumes from the one before", async (folder) => {
  const process = await startUntil(folder, 8);
  process.kill("SIGKILL");
  await ended(process);
  Deno.truncateSync(`${folder}/run/${CHECKPOINT_FILE}`, 5000);
  const { code, stdout, stderr } = await run(TINY_SEARCH, [`--resume=${folder}/run`]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "checkpoint.safetensors is damaged");
  assertEquals(resultsOf(`${folder}/run`), await unbrokenResults());
});

test("a search gives the same result with one thread as with two", async (folder) => {
  const { code, stderr } = await run(TINY_SEARCH, [
    ...OPTIONS,
    "--threads=1",
    `--save=${folder}/run`,
  ]);
  assertEquals(code, 0, stderr);
  assertEquals(resultsOf(`${folder}/run`), await unbrokenResults());
});
