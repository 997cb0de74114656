/** Tests of whole searches on webgpu: the cpu's genotype, and a device that is lost on the way. */

import * as tf from "@tensorflow/tfjs-core";
import type { Backend, BackendOptions } from "../../backends/contract.ts";
import { startCpuBackend } from "../../backends/cpu/backend.ts";
import type { WebGpuBackend } from "../../backends/webgpu/backend.ts";
import { readCheckpoint } from "../../nn/checkpoint.ts";
import { RunError } from "../../nn/run_files.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { hasAdapter } from "../backends/adapter.ts";
import { permitted } from "../permitted.ts";
import { searchHere } from "./in_process.ts";
import { inFolder } from "./program.ts";

/**
 * Three stages of one epoch: two steps of each kind, and a validation. Alphas move far at each, so that
 * none is dropped by a near-tie, where rounding decides: with smaller steps the cpu's own relaxed and plain
 * SIMD come to different genotypes for some seeds.
 */
const OPTIONS = [
  "--epochs=1",
  "--alpha-from-epoch=0",
  "--validation-epochs=1",
  "--layers=3,3,3",
  "--channels=4",
  "--batch=16",
  "--train-images=32",
  "--learning-rate=0.005",
  "--alpha-learning-rate=0.1",
  "--seed=4",
  "--report-every=1",
  "--checkpoint-minutes=0",
];

/** Largest relative difference of a loss; the worst seen on llvmpipe is 2e-6. */
const TOLERANCE = 1e-4;

function test(name: string, body: (folder: string) => Promise<void>): void {
  const needed = { read: [".", "/tmp"], write: [".cache", "/tmp"], env: ["CI"] };
  Deno.test({
    name: `${name} [webgpu]`,
    ignore: !hasAdapter || !permitted(needed),
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () => inFolder(body),
  });
}

async function startWebGpu(options: BackendOptions): Promise<Backend> {
  const { startWebGpuBackend } = await import("../../backends/webgpu/backend.ts");
  return await startWebGpuBackend(options);
}

/** What a search leaves that does not differ from run to run, by file. */
type Results = Record<"log.jsonl" | "alphas.jsonl" | "genotypes.json", string>;

function resultsOf(folder: string): Results {
  const read = (name: string) => Deno.readTextFileSync(`${folder}/${name}`);
  return Object.fromEntries(
    ["log.jsonl", "alphas.jsonl", "genotypes.json"].map((name) => [name, read(name)]),
  ) as Results;
}

let unbroken: Promise<Results> | undefined;

/** The results of a search on webgpu that nothing disturbs, made once. */
function unbrokenResults(): Promise<Results> {
  return unbroken ??= (async () => {
    let results: Results | undefined;
    await inFolder(async (folder) => {
      await searchHere([...OPTIONS, `--save=${folder}/run`], startWebGpu);
      results = resultsOf(`${folder}/run`);
    });
    return results!;
  })();
}

/** Every loss of a log, by its line and kind. */
function lossesOf({ "log.jsonl": log }: Results): [where: string, loss: number][] {
  const losses: [string, number][] = [];
  log.trim().split("\n").forEach((line, index) =>
    JSON.parse(line, function (key, value) {
      if (key === "loss") losses.push([`line ${index + 1}`, value]);
      return value;
    })
  );
  return losses;
}

test("a search finds the cpu's genotype, with its losses", async (folder) => {
  await searchHere([...OPTIONS, `--save=${folder}/run`], startCpuBackend);
  const cpu = resultsOf(`${folder}/run`), webgpu = await unbrokenResults();
  assertEquals(webgpu["genotypes.json"], cpu["genotypes.json"]);
  const losses = lossesOf(webgpu), expected = lossesOf(cpu);
  // In each stage, of both steps and the epoch, for weights and alphas, and of the validation.
  assert(expected.length >= 3 * (2 * 3 + 3), `${expected.length} losses`);
  assertEquals(losses.map(([where]) => where), expected.map(([where]) => where));
  for (const [index, [where, loss]] of expected.entries()) {
    const error = Math.abs(losses[index][1] - loss) / loss;
    assert(error <= TOLERANCE, `${where}: loss ${losses[index][1]}, not ${loss}`);
  }
});

/** A backend whose device is destroyed when the search asks for its memory the `reports`th time. */
async function startLosing(reports: number): Promise<Backend> {
  const backend = await startWebGpu({}), { device } = tf.backend() as unknown as WebGpuBackend;
  return {
    ...backend,
    memory: () => {
      if (--reports === 0) device.destroy();
      return backend.memory();
    },
  };
}

test("a search that loses its device keeps its checkpoint and resumes exactly", async (folder) => {
  const path = `${folder}/run`;
  const { message } = await assertRejects(
    () => searchHere([...OPTIONS, `--save=${path}`], () => startLosing(6)),
    RunError,
  );
  assertMatch(message, /^WebGPU failed .*the device was lost \(.*\); the last checkpoint stays, /);
  assert(message.includes(`--resume=${path}`) && !message.includes("\n"), message);
  const { checkpoint, notes } = (await readCheckpoint(path))!;
  const { stage, step } = (checkpoint.state as { state: Record<string, number> }).state;
  assertEquals({ notes, stage, step }, { notes: [], stage: 1, step: 1 });
  assertEquals(await searchHere([`--resume=${path}`], startWebGpu), "done");
  assertEquals(resultsOf(path), await unbrokenResults());
});
