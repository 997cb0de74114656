/** Tests of bad input to the programs: each ends with its exit code and one line, and loses nothing. */

import { CHECKPOINT_FILE, PREVIOUS_CHECKPOINT_FILE } from "../../nn/checkpoint.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { ended, inFolder, programsPermitted, run, startDeno, TINY_NETWORK } from "./program.ts";

const SEARCH = "search/main.ts", TINY_SEARCH = "tests/search/tiny_search.ts";
const TINY_OPTIONS = [...TINY_NETWORK, "--batch=4", "--train-images=4"];

const ignore = !programsPermitted();

interface BadInput {
  script?: string;
  args: string[];
  code: 1 | 2;
  says: string;
}

/** Runs a program that must fail in the expected way. */
async function assertFails({ script = SEARCH, args, code, says }: BadInput): Promise<void> {
  const outcome = await run(script, args);
  const label = args.join(" ");
  assertStringIncludes(outcome.stderr, says, label);
  assertEquals(outcome.code, code, label);
  assertEquals(outcome.stderr.trimEnd().split("\n").length, 1, outcome.stderr);
  assert(!/\bat (file|ext|async)\b/.test(outcome.stderr + outcome.stdout), outcome.stderr);
}

function test(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => inFolder(body) });
}

test("the search refuses a command line it cannot understand with code 2", async () => {
  const cases: [string, string][] = [
    ["--epoch=3", 'unknown option --epoch (did you mean "--epochs"?)'],
    ["--preset=quik", 'did you mean "quick"?'],
    ["--backend=cpuu", 'did you mean "cpu"?'],
    ["--adapter=fast", "want high-performance, low-power or software"],
    ["--dataset=cifar11", 'did you mean "cifar10"?'],
    ["--epochs=0", "Cannot use --epochs=0: want an integer from 1"],
    ["--epochs=many", "Cannot use --epochs=many"],
    ["--channels=5", "want an even integer from 2"],
    ["--batch=-1", "want an integer from 1"],
    ["--layers=5,11", "want 3 values, each an integer from 3"],
    ["--skip-dropout=0,0,1", "each a number from 0 to below 1"],
    ["--drop=3,2,1", "--drop"],
    ["--precision=fp16", "want tf32, fp32 or bf16"],
    ["--train-share=1", "want a number above 0 to below 1"],
    ["--batch-norm-epsilon=0", "want a number above 0"],
    ["--std=1,0,1", "want 3 values, each a number above 0"],
    ["--report-every=0", "want an integer from 1"],
    ["extra", "too many arguments"],
  ];
  for (const [argument, says] of cases) await assertFails({ args: [argument], code: 2, says });
});

test("the search refuses data that it cannot use with code 1", async (folder) => {
  const truncated = `${folder}/cifar-10-binary.tar.gz`;
  Deno.writeFileSync(truncated, new Uint8Array(1000));
  const common = ["--backend=cpu", `--save=${folder}/run`];
  const cases: [string[], string][] = [
    [["--data=/tmp/there-is-no-such-data"], "there is no such file or folder"],
    [[`--data=${truncated}`], truncated],
    [[`--data=${folder}/..`, "--dataset=cifar100"], "Cannot"],
    [["--dataset=cifar100"], "--data"],
  ];
  for (const [args, says] of cases) {
    await assertFails({ args: [...args, ...common], code: 1, says });
  }
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["cifar-10-binary.tar.gz"]);
});

test("the search refuses folders that it may not or cannot use", async (folder) => {
  Deno.writeTextFileSync(`${folder}/file`, "");
  const read = "--allow-read=.,/tmp,/usr/bin/ldd,/outside ";
  const granted = `${read}--allow-write=runs,.cache,/tmp,/outside search/main.ts --save=/outside`;
  await assertFails({ args: ["--save=/outside"], code: 1, says: granted });
  await assertFails({ args: ["--data=/outside"], code: 1, says: `${read}s` });
  await assertFails({ args: [`--save=${folder}/file/run`], code: 1, says: "Cannot make the run" });
  await assertFails({ args: [`--save=${folder}`], code: 1, says: "the folder is not empty" });
  assertEquals([...Deno.readDirSync(folder)].length, 1);
});

Deno.test({
  name: "the command that opens a folder to the search is printed, and works",
  ignore,
  fn: async () => {
    const path = `/var/tmp/pdarts-search-${crypto.randomUUID()}`;
    const refused = await run(TINY_SEARCH, [...TINY_OPTIONS, `--save=${path}`]);
    assertEquals(refused.code, 1, refused.stderr);
    const [, ...command] = refused.stderr.trim().split("to open it too, run ")[1].split(" ");
    try {
      const opened = await ended(startDeno(command));
      assertEquals(opened.code, 0, opened.stderr);
      assertStringIncludes(opened.stdout, `Run folder: ${path}`);
    } finally {
      await ended(startDeno(["eval", `Deno.removeSync("${path}", { recursive: true })`]));
    }
  },
});

test("the search refuses what does not fit data and backend", async (folder) => {
  const fails = (args: string[], says: string) =>
    assertFails({
      script: TINY_SEARCH,
      args: ["--backend=cpu", `--save=${folder}/run`, ...args],
      code: 1,
      says,
    });
  await fails(["--batch=193"], "--batch");
  await fails([...TINY_OPTIONS, "--train-images=193"], "--train-images");
  await fails(
    [...TINY_NETWORK, "--batch=40", "--train-share=0.9"],
    "--batch 40: want an integer from 1 to 39",
  );
  await fails(
    [...TINY_NETWORK, "--batch=1", "--train-share=0.001"],
    "Cannot split 384 images: want a share that leaves both parts some, got 0.001",
  );
  await fails(
    [...TINY_OPTIONS, "--backend=cudnn"],
    "error: Cannot use cudnn: no permission to open NVIDIA's libraries",
  );
});

test("the search refuses to resume what is no run, and keeps what it refuses", async (folder) => {
  const path = `${folder}/run`;
  const fails = (args: string[], says: string, code: 1 | 2 = 1) =>
    assertFails({ script: TINY_SEARCH, args, code, says });
  await fails([`--resume=${folder}`], "config.json is missing");
  const { code, stderr } = await run(TINY_SEARCH, [...TINY_OPTIONS, `--save=${path}`]);
  assertEquals(code, 0, stderr);
  await fails([...TINY_OPTIONS, `--save=${path}`], `--resume=${path}`);
  await fails([`--resume=${path}`, "--save=/tmp/other"], "Cannot use --save with --resume", 2);
  await fails([`--resume=${path}`, "--batch=8"], "--batch=8: the run was begun with 4");
  await fails([`--resume=${path}`, "--layers=3,3,4"], "--layers=3,3,4");
  const checkpoints = [CHECKPOINT_FILE, PREVIOUS_CHECKPOINT_FILE].map((name) => `${path}/${name}`);
  for (const checkpoint of checkpoints) Deno.truncateSync(checkpoint, 2000);
  await fails([`--resume=${path}`], "checkpoint.safetensors is damaged");
  assertEquals(checkpoints.map((name) => Deno.statSync(name).size), [2000, 2000]);
  const config = Deno.readTextFileSync(`${path}/config.json`);
  Deno.writeTextFileSync(`${path}/config.json`, config.replace('"format": 3', '"format": 1'));
  await fails([`--resume=${path}`], "its format is 1, and this version reads format 3");
});
