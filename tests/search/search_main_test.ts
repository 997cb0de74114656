/** Tests of whole runs that nothing disturbs: what the program says, and options at their ends. */

import type { BackendOptions } from "../../backends/contract.ts";
import { startCpuBackend } from "../../backends/cpu/start.ts";
import { configOf as trainingConfigOf, TRAIN_COMMAND } from "../../evaluate/options.ts";
import { parseCommandLine } from "../../nn/command_line.ts";
import { searchMain } from "../../search/search_main.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { searchHere } from "./in_process.ts";
import { loadSample } from "../datasets/sample.ts";
import { inFolder, programsPermitted, run } from "./program.ts";

const TINY_SEARCH = "tests/search/tiny_search.ts";

/** A search of three stages with one epoch of two steps each. */
const OPTIONS = [
  "--epochs=1",
  "--validation-epochs=1",
  "--layers=3,3,3",
  "--channels=2",
  "--batch=8",
  "--train-images=14",
];

const ignore = !programsPermitted();

function test(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => inFolder(body) });
}

test("a search whose alphas are never trained says so and gives a genotype", async (folder) => {
  const { code, stdout, stderr } = await run(TINY_SEARCH, [...OPTIONS, `--save=${folder}/run`]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stdout,
    "Alphas are not trained: --alpha-from-epoch 10 is not below --epochs 1\n",
  );
  assertStringIncludes(stdout, " (Cannot use cudnn: no permission to open");
  assertStringIncludes(stdout, "Normal cell");
  assertStringIncludes(Deno.readTextFileSync(`${folder}/run/genotype.py`), "Genotype(");
});

test("a search starts the backend with the options given for it", async (folder) => {
  const started: [string, BackendOptions][] = [];
  const args = [
    "--backend=webgpu",
    "--adapter=low-power",
    "--subgroups=on",
    "--storage=f16",
    "--precision=fp32",
    `--save=${folder}/run`,
  ];
  const program = { command: "search", run: "deno run", script: "search.ts" };
  const environment = {
    program: { ...program, folders: { read: [], write: [] } },
    output: { terminal: false, columns: () => 80, write: () => {} },
    loadData: () => Promise.resolve(loadSample()),
    train: () => Promise.reject(new Error("not asked for")),
    startBackend: (name: string, options: BackendOptions) => {
      started.push([name, options]);
      return Promise.reject(new Error("enough"));
    },
  };
  const tiny = [...args, "--batch=4", "--train-images=4"];
  await assertRejects(() => searchMain(tiny, environment), Error, "enough");
  assertEquals(started, [["webgpu", {
    adapter: "low-power",
    subgroups: true,
    storage: "f16",
    precision: "fp32",
  }]]);
});

test("a search with --train=on has its genotype trained, or that training continued", async (folder) => {
  const path = `${folder}/run`, trained: (readonly string[])[] = [];
  const args = ["--preset=quick", ...OPTIONS, "--seed=5", "--threads=2", "--train=on"];
  const search = (args: readonly string[]) =>
    searchHere(args, (options) => startCpuBackend(options), (args) => {
      trained.push(args);
      return Promise.resolve("done");
    });
  assertEquals(await search([...args, `--save=${path}`]), "done");
  Deno.mkdirSync(`${path}/eval`);
  Deno.writeTextFileSync(`${path}/eval/config.json`, "{}");
  assertEquals(await search([`--resume=${path}`, "--train=on"]), "done");
  assertEquals(await search([`--resume=${path}`]), "done");
  const [begun, continued] = trained.map((args) => {
    const parsed = parseCommandLine(TRAIN_COMMAND, args);
    assert("values" in parsed);
    return parsed.values;
  });
  assertEquals(trained.length, 2);
  const config = trainingConfigOf(begun);
  const genotype = JSON.parse(Deno.readTextFileSync(`${path}/genotype.json`));
  assertEquals([config.genotype, config.preset, config.seed], [genotype, "quick", 5]);
  assertEquals([begun.save, begun.threads, continued.threads], [`${path}/eval`, 2, 2]);
  assertEquals([continued.resume, continued.save], [`${path}/eval`, undefined]);
});
