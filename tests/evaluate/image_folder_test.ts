/** Tests of trainings and tests on folders of images: what they leave, refuse, and begin with. */

import { decodeSafetensors } from "../../nn/safetensors.ts";
import { DatasetError } from "../../datasets/types.ts";
import { UsageError } from "../../nn/command_line.ts";
import { RunError } from "../../nn/run_files.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../assert.ts";
import { TEXT_FILE } from "../datasets/made_images.ts";
import { TREE_CLASSES, treePermitted, writeTree } from "../datasets/made_tree.ts";
import { ended, inFolder, programsPermitted, run, start } from "../search/program.ts";
import { evaluateHere, TINY_TRAINING } from "./program.ts";

const TINY_EVAL = "tests/evaluate/tiny_eval.ts";

/** A training of the smallest network for ImageNet on tiny images: two epochs of three steps. */
const TINY = [
  "--dataset=imagenet",
  "--preset=quick",
  "--arch=DARTS_V2",
  "--epochs=2",
  "--layers=3",
  "--channels=4",
  "--batch=8",
  "--image-size=16",
  "--report-every=1",
  "--workers=1",
];

function test(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore: !treePermitted(), fn: () => inFolder(body) });
}

function read(path: string): string {
  return Deno.readTextFileSync(path);
}

function metadataOf(path: string): Record<string, string> {
  return decodeSafetensors(Deno.readFileSync(`${path}/best.safetensors`)).metadata;
}

test("a training on a folder keeps its classes and its input, and lists unreadable images", async (folder) => {
  const others = { "train/n01440764/a_text.png": TEXT_FILE, "val/n01484850/a_text.png": TEXT_FILE };
  await writeTree(`${folder}/data`, { others });
  const path = `${folder}/run`;
  const { output } = await evaluateHere([
    "train",
    ...TINY,
    `--data=${folder}/data`,
    "--max-unreadable=0.2",
    `--save=${path}`,
  ]);
  const { classes, input, config } = metadataOf(path);
  assertEquals(JSON.parse(classes), [...TREE_CLASSES]);
  assertEquals(JSON.parse(input), {
    size: 16,
    resize: 18,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  });
  assertEquals(JSON.parse(config).network, "imagenet");
  assertStringIncludes(output, "3 classes, 19 training and 10 test images");
  assertStringIncludes(output, "Unreadable images: 2, listed in unreadable.txt");
  assertMatch(
    read(`${path}/unreadable.txt`),
    /^train\t".*a_text.png"\t.*\ntest\t".*a_text.png"\t.*\n$/,
  );
  assertEquals(JSON.parse(read(`${path}/summary.json`)).unreadable, 2);
  const samples = read(`${path}/log.jsonl`).trim().split("\n").map((line) => JSON.parse(line))
    .filter(({ type }) => type === "epoch" || type === "test").map(({ samples }) => samples);
  assertEquals(samples, [19, 9, 19, 9]); // a training image's place is taken, a test image's is not
});

test("a training stops past the share of unreadable images, and goes on with a larger one", async (folder) => {
  const others = Object.fromEntries(
    [0, 1, 2, 3].map((index) => [`val/n01440764/text_${index}.png`, TEXT_FILE]),
  );
  await writeTree(`${folder}/data`, { others });
  const path = `${folder}/run`;
  const options = [...TINY, `--data=${folder}/data`, `--save=${path}`, "--checkpoint-minutes=0"];
  const train = () => evaluateHere(["train", ...options, "--max-unreadable=0.1"]);
  const { message } = await assertRejects(train, Error, "of the 13 test images cannot be read");
  assertStringIncludes(message, `to continue from it: tiny-eval train --resume=${path}`);
  assertEquals(read(`${path}/unreadable.txt`).split("\n").length, 3); // one more than the share of 13
  const resume = (...more: string[]) => evaluateHere(["train", `--resume=${path}`, ...more]);
  await assertRejects(() => resume(), Error, "allow more with --max-unreadable");
  assertEquals((await resume("--max-unreadable=0.5")).outcome, "done");
});

Deno.test({
  name: "a training on a folder resumes within an epoch, with more workers, to the same bits",
  ignore: !(programsPermitted() && treePermitted()),
  fn: () =>
    inFolder(async (folder) => {
      await writeTree(`${folder}/data`);
      const options = [
        "train",
        ...TINY,
        "--jitter=0.4,0.4,0.4,0.2",
        "--batch=4",
        `--data=${folder}/data`,
        "--backend=cpu",
        "--checkpoint-minutes=0",
      ];
      await evaluateHere([...options, `--save=${folder}/unbroken`]);
      const path = `${folder}/run`, images = { images: true };
      const process = start(TINY_EVAL, [...options, `--save=${path}`], images);
      await untilLines(path, 2);
      process.kill("SIGINT");
      const { code, stderr } = await ended(process);
      assertEquals(code, 130, stderr);
      const lines = read(`${path}/log.jsonl`).split("\n").length;
      const last = await run(TINY_EVAL, ["train", `--resume=${path}`, "--workers=3"], images);
      assertEquals(last.code, 0, last.stderr);
      assertEquals(read(`${path}/log.jsonl`), read(`${folder}/unbroken/log.jsonl`));
      assert(read(`${path}/log.jsonl`).split("\n").length > lines);
    }),
});

/** Waits until a run's log has more than so many lines. */
async function untilLines(path: string, lines: number): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    try {
      if (read(`${path}/log.jsonl`).split("\n").length > lines) return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

test("eval test finds what the training logged, and compares the classes by name", async (folder) => {
  await writeTree(`${folder}/data`);
  const path = `${folder}/run`;
  await evaluateHere(["train", ...TINY, `--data=${folder}/data`, `--save=${path}`]);
  const { best } = JSON.parse(read(`${path}/summary.json`));
  const testOn = (data: string) =>
    evaluateHere([
      "test",
      `--model=${path}`,
      `--data=${folder}/${data}`,
      "--batch=4",
      `--save=${folder}/test-${data}`,
    ]);
  const { output } = await testOn("data");
  assertStringIncludes(output, `top-1 ${(100 * best.top1).toFixed(2)} %`);
  const report = JSON.parse(read(`${folder}/test-data/test.json`));
  assertEquals([report.classes, report.samples], [[...TREE_CLASSES], 9]);
  assert(Math.abs(report.loss - best.loss) < 1e-4, `${report.loss} ${best.loss}`);
  await writeTree(`${folder}/other`, { classes: ["n01440764", "n01498041", "n01514668"] });
  await assertRejects(
    () => testOn("other"),
    RunError,
    "on imagenet: class 1 is n01443537, and the data's n01498041",
  );
  await writeTree(`${folder}/more`, { classes: [...TREE_CLASSES, "n01614925"] });
  await assertRejects(() => testOn("more"), RunError, "n01614925 the first that the weights lack");
});

test("a training begins with the weights of another, but for the classifier of other classes", async (folder) => {
  await writeTree(`${folder}/data`);
  await writeTree(`${folder}/other`, { classes: ["apple", "pear", "plum"] });
  const first = `${folder}/first`, second = `${folder}/second`;
  await evaluateHere(["train", ...TINY, "--epochs=1", `--data=${folder}/data`, `--save=${first}`]);
  const begun = [...TINY, "--epochs=1", "--learning-rate=0", "--weight-decay=0", "--test-every=1"];
  const { output } = await evaluateHere([
    "train",
    ...begun,
    "--dataset=imagefolder",
    `--data=${folder}/other`,
    `--init=${first}`,
    `--save=${second}`,
  ]);
  assertStringIncludes(output, "copied: ");
  assertStringIncludes(output, "of other classes: 2 tensors of classifier");
  const tensors = (path: string) =>
    decodeSafetensors(Deno.readFileSync(`${path}/best.safetensors`)).tensors;
  const before = tensors(first), after = tensors(second);
  for (const [name, { data }] of after) {
    if (name.endsWith("num_batches_tracked") || name.includes("running_")) continue;
    assertEquals(
      String(before.get(name)!.data) === String(data),
      !name.startsWith("classifier"),
      name,
    );
  }
  const keys = read(`${second}/init.txt`).trim().split("\n").slice(1);
  const named = [...after.keys()].filter((name) => !name.endsWith("num_batches_tracked"));
  assertEquals(keys.map((line) => line.split(/ {2,}/)[1]), named);
  assertMatch(read(`${second}/init.txt`), /of other classes +classifier\.weight +\[3,/);
});

test("a training refuses weights of which none fits, and leaves no folder", async (folder) => {
  await writeTree(`${folder}/data`);
  const first = `${folder}/first`, save = `--save=${folder}/second`;
  await evaluateHere(["train", ...TINY_TRAINING, "--epochs=1", "--channels=6", `--save=${first}`]);
  const other = [
    "train",
    ...TINY,
    "--channels=2",
    `--data=${folder}/data`,
    `--init=${first}`,
    save,
  ];
  await assertRejects(() => evaluateHere(other), RunError, "no weight fits by name and shape");
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["data", "first"]);
});

test("eval train refuses options and folders that it cannot use", async (folder) => {
  await writeTree(`${folder}/data`);
  await writeTree(`${folder}/nested`, { others: { "train/n01440764/deep/a.png": TEXT_FILE } });
  const save = `--save=${folder}/run`, data = `--data=${folder}/data`;
  const cases: [string[], new (message: string) => Error, string][] = [
    [["--dataset=imagenet"], UsageError, "Cannot use --dataset=imagenet without --data"],
    [["--image-size=64"], UsageError, "Cannot use --image-size with --dataset=cifar10"],
    [[...TINY, data, "--cutout=4"], UsageError, "--cutout 4: want an integer from 0 to 0"],
    [[...TINY, data, "--crop-area=0.5,0.2"], UsageError, "--crop-area 0.5: want"],
    [[...TINY, data, "--resize=12"], UsageError, "--resize 12: want an integer from 16"],
    [[...TINY, data, "--auxiliary=on"], UsageError, "--image-size 16: want 193 or more"],
    [[...TINY, data, "--classes=4"], DatasetError, "Cannot use 4 classes of"],
    [[...TINY, data, "--batch=19"], RangeError, "--batch 19: want an integer from 1 to 18"],
    [[...TINY, data, "--val-share=0.5"], DatasetError, "it has train and val"],
    [[...TINY, `--data=${folder}/nested`], DatasetError, "holds another, deep"],
    [[...TINY, `--data=${folder}/absent`], DatasetError, "there is no such file or folder"],
  ];
  for (const [args, kind, says] of cases) {
    const error = await assertRejects(() => evaluateHere(["train", ...args, save]), kind, says);
    assertEquals(error.message.includes("\n"), false);
  }
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["data", "nested"]);
});

test("a run of an earlier version, without what folders brought, resumes as on CIFAR", async (folder) => {
  const path = `${folder}/run`;
  await evaluateHere(["train", ...TINY_TRAINING, "--epochs=1", `--save=${path}`]);
  const config = JSON.parse(read(`${path}/config.json`));
  for (const key of ["network", "schedule", "warmupEpochs", "init", "folder"]) {
    delete config.options.config[key];
  }
  delete config.options.run.maxUnreadable;
  Deno.writeTextFileSync(`${path}/config.json`, JSON.stringify(config));
  const { outcome } = await evaluateHere(["train", `--resume=${path}`]);
  assertEquals(outcome, "done");
});
