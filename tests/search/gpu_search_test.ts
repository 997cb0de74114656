/** Tests of whole searches on GPUs: the cpu's genotype, and a device that is lost on the way. */

import * as tf from "@tensorflow/tfjs-core";
import type { Backend, BackendOptions } from "../../backends/contract.ts";
import { startCpuBackend } from "../../backends/cpu/start.ts";
import type { WebGpuBackend } from "../../backends/webgpu/backend.ts";
import { readCheckpoint } from "../../nn/checkpoint.ts";
import { RunError } from "../../nn/run_files.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { hasAdapter } from "../backends/adapter.ts";
import { startEmulated } from "../backends/cudnn/emulated.ts";
import { EMULATOR_ABSENT, emulatorControl } from "../cuda_emulator/emulator.ts";
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

/** A backend for GPUs, on a stand-in or not. */
interface Gpu {
  name: string;
  absent: boolean;
  start(options: BackendOptions): Promise<Backend>;
  /** Takes the device of the current backend away. */
  lose(): void;
  /** Makes another start possible. */
  restore(): void;
  /** What a search says of it. */
  lost: RegExp;
}

const WEBGPU: Gpu = {
  name: "webgpu",
  absent: !hasAdapter,
  start: async (options) => {
    const { startWebGpuBackend } = await import("../../backends/webgpu/backend.ts");
    return await startWebGpuBackend(options);
  },
  lose: () => (tf.backend() as unknown as WebGpuBackend).device.destroy(),
  restore: () => {},
  lost: /^WebGPU failed .*the device was lost \(.*\); the last checkpoint stays, /,
};

const CUDNN: Gpu = {
  name: "cudnn, emulated",
  absent: EMULATOR_ABSENT !== undefined,
  // The cpu's losses are float32's; with TF32, alphas that Adam moves far soon part from them.
  start: (options) => startEmulated({ ...options, precision: "fp32" }),
  lose: () => emulatorControl().loseDevice(),
  restore: () => emulatorControl().reset(),
  lost: /^Cannot run cu\w+ .*on cudnn: CUDA_ERROR_UNKNOWN, .*; the last checkpoint stays, /,
};

/** What a search leaves that does not differ from run to run, by file. */
type Results = Record<"log.jsonl" | "alphas.jsonl" | "genotypes.json", string>;

function resultsOf(folder: string): Results {
  const read = (name: string) => Deno.readTextFileSync(`${folder}/${name}`);
  return Object.fromEntries(
    ["log.jsonl", "alphas.jsonl", "genotypes.json"].map((name) => [name, read(name)]),
  ) as Results;
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

/** A backend whose device is lost when the search asks for its memory the `reports`th time. */
async function startLosing({ start, lose }: Gpu, reports: number): Promise<Backend> {
  const backend = await start({});
  return {
    ...backend,
    memory: () => {
      if (--reports === 0) lose();
      return backend.memory();
    },
  };
}

for (const gpu of [WEBGPU, CUDNN]) {
  const { name, absent, start, restore, lost } = gpu;

  const test = (what: string, body: (folder: string) => Promise<void>) => {
    const needed = { read: [".", "/tmp"], write: [".cache", "/tmp"], env: ["CI"] };
    Deno.test({
      name: `${what} [${name}]`,
      ignore: absent || !permitted(needed),
      sanitizeOps: false,
      sanitizeResources: false,
      fn: () => inFolder(body),
    });
  };

  let unbroken: Promise<Results> | undefined;

  /** The results of a search that nothing disturbs, made once. */
  const unbrokenResults = (): Promise<Results> =>
    unbroken ??= (async () => {
      let results: Results | undefined;
      await inFolder(async (folder) => {
        await searchHere([...OPTIONS, `--save=${folder}/run`], start);
        results = resultsOf(`${folder}/run`);
      });
      return results!;
    })();

  test("a search finds the cpu's genotype, with its losses", async (folder) => {
    await searchHere([...OPTIONS, `--save=${folder}/run`], startCpuBackend);
    const cpu = resultsOf(`${folder}/run`), results = await unbrokenResults();
    assertEquals(results["genotypes.json"], cpu["genotypes.json"]);
    const losses = lossesOf(results), expected = lossesOf(cpu);
    // In each stage, of both steps and the epoch, for weights and alphas, and of the validation.
    assert(expected.length >= 3 * (2 * 3 + 3), `${expected.length} losses`);
    assertEquals(losses.map(([where]) => where), expected.map(([where]) => where));
    for (const [index, [where, loss]] of expected.entries()) {
      const error = Math.abs(losses[index][1] - loss) / loss;
      assert(error <= TOLERANCE, `${where}: loss ${losses[index][1]}, not ${loss}`);
    }
  });

  test("a search that loses its device keeps its checkpoint and resumes exactly", async (folder) => {
    const path = `${folder}/run`;
    const { message } = await assertRejects(
      () => searchHere([...OPTIONS, `--save=${path}`], () => startLosing(gpu, 6)),
      RunError,
    );
    restore();
    assertMatch(message, lost);
    assert(message.includes(`--resume=${path}`) && !message.includes("\n"), message);
    const { checkpoint, notes } = (await readCheckpoint(path))!;
    const { stage, step } = (checkpoint.state as { state: Record<string, number> }).state;
    assertEquals({ notes, stage, step }, { notes: [], stage: 1, step: 1 });
    assertEquals(await searchHere([`--resume=${path}`], start), "done");
    assertEquals(resultsOf(path), await unbrokenResults());
  });
}
