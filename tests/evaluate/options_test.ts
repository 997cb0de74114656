/** Tests of the training's options: the published numbers, what each option changes, and the help. */

import { fitted, type TrainingConfig, trainingConfig } from "../../evaluate/config.ts";
import { checkTrainingConfig } from "../../evaluate/config_checks.ts";
import { configOf, TRAIN_COMMAND, TRAINING_OPTIONS } from "../../evaluate/options.ts";
import { parseCommandLine, UsageError } from "../../nn/command_line.ts";
import { type GivenOptions, valueAt } from "../../nn/config_options.ts";
import { resizeOf } from "../../nn/folder_config.ts";
import { DARTS_V1, PDARTS } from "../../nn/genotypes.ts";
import { RunError } from "../../nn/run_files.ts";
import { resumedOptions, runOptionsOf } from "../../nn/run_options.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { permitted } from "../permitted.ts";

function given(...args: string[]): GivenOptions {
  const parsed = parseCommandLine(TRAIN_COMMAND, args);
  assert("values" in parsed);
  return parsed.values;
}

Deno.test("trainingConfig() gives the paper's numbers by default", () => {
  const {
    epochs,
    batch,
    layers,
    channels,
    auxiliary,
    dropPath,
    optimizer,
    augmentation,
    genotype,
  } = trainingConfig();
  assertEquals([epochs, batch, layers, channels, dropPath], [600, 128, 20, 36, 0.3]);
  assertEquals(auxiliary, { enabled: true, weight: 0.4 });
  assertEquals(optimizer, {
    learningRate: 0.025,
    minimumLearningRate: 0,
    momentum: 0.9,
    weightDecay: 3e-4,
    clip: 5,
  });
  assertEquals(augmentation, { cropPadding: 4, flipProbability: 0.5, cutout: 16 });
  assertEquals(genotype, PDARTS);
});

Deno.test("trainingConfig() gives ImageNet's numbers for folders of images", () => {
  const config = trainingConfig("paper", "imagenet"), { optimizer, schedule, folder } = config;
  assertEquals([config.epochs, config.batch, config.layers, config.channels], [250, 1024, 14, 48]);
  assertEquals([optimizer.learningRate, optimizer.weightDecay, optimizer.clip], [0.5, 3e-5, 5]);
  assertEquals([schedule, config.warmupEpochs, config.dropPath], ["linear", 5, 0]);
  assertEquals([config.labelSmoothing, config.auxiliary.weight], [0.1, 0.4]);
  assertEquals([config.network, folder!.imageSize, resizeOf(folder!)], ["imagenet", 224, 256]);
  assertEquals(folder!.jitter, [0.4, 0.4, 0.4, 0.2]);
  const authors = trainingConfig("authors", "imagefolder");
  assertEquals([authors.batch, authors.optimizer.learningRate], [256, 0.1]);
  assertEquals([authors.warmupEpochs, authors.optimizer.weightDecay], [0, 3e-5]);
  assertEquals(trainingConfig("authors"), { ...trainingConfig("paper"), preset: "authors" });
  for (const preset of ["paper", "authors", "quick"]) {
    for (const dataset of ["cifar100", "imagenet"]) {
      checkTrainingConfig(trainingConfig(preset, dataset));
    }
  }
});

Deno.test("fitted() shrinks the quick preset's numbers to the data, and none that was given", () => {
  const quick = trainingConfig("quick", "imagefolder"), data = { train: 20, test: 5 };
  const { trainImages, testImages, batch } = fitted(quick, { given: {}, ...data });
  assertEquals([trainImages, testImages, batch], [20, 5, 20]);
  assertEquals(fitted(quick, { given: { batch: 32 }, ...data }).batch, 32);
  const paper = trainingConfig("paper", "imagefolder");
  assertEquals(fitted(paper, { given: {}, ...data }), paper);
});

Deno.test("trainingConfig() makes the quick preset a valid, smaller training", () => {
  const quick = trainingConfig("quick"), paper = trainingConfig();
  checkTrainingConfig(quick);
  assert(quick.layers < paper.layers && quick.channels < paper.channels);
  assert(quick.trainImages !== null && quick.epochs < paper.epochs);
});

Deno.test("configOf() puts every option in its place", () => {
  const options: Record<string, [text: string, value: unknown]> = {
    "arch": ["DARTS_V1", "DARTS_V1"],
    "dataset": ["cifar100", "cifar100"],
    "seed": ["7", 7],
    "epochs": ["8", 8],
    "batch": ["9", 9],
    "train-images": ["10", 10],
    "test-images": ["11", 11],
    "test-every": ["12", 12],
    "label-smoothing": ["0.1", 0.1],
    "init": ["runs/a", "runs/a"],
    "network": ["imagenet", "imagenet"],
    "layers": ["13", 13],
    "channels": ["14", 14],
    "auxiliary": ["off", false],
    "auxiliary-weight": ["0.2", 0.2],
    "drop-path": ["0.25", 0.25],
    "batch-norm-epsilon": ["0.01", 0.01],
    "batch-norm-momentum": ["0.02", 0.02],
    "learning-rate": ["0.03", 0.03],
    "minimum-learning-rate": ["0.004", 0.004],
    "momentum": ["0.05", 0.05],
    "weight-decay": ["0.06", 0.06],
    "clip": ["0.07", 0.07],
    "schedule": ["linear", "linear"],
    "warmup-epochs": ["6", 6],
    "mean": ["0.1,0.2,0.3", [0.1, 0.2, 0.3]],
    "std": ["0.4,0.5,0.6", [0.4, 0.5, 0.6]],
    "crop-padding": ["2", 2],
    "flip-probability": ["0.75", 0.75],
    "cutout": ["3", 3],
  };
  const args = Object.entries(options).map(([name, [text]]) => `--${name}=${text}`);
  const config = configOf(given(...args));
  for (const { name, key } of TRAINING_OPTIONS) {
    if (name !== "skips") assertEquals(valueAt(config, key), options[name][1], name);
  }
  assertEquals(config.genotype, DARTS_V1);
});

Deno.test("configOf() refuses options that do not fit together, by their names", () => {
  assertThrows(
    () => configOf(given("--batch=9", "--train-images=8")),
    UsageError,
    "Cannot train with --batch 9: want an integer from 1 to 8",
  );
  assertThrows(
    () => configOf(given("--minimum-learning-rate=1")),
    UsageError,
    "Cannot train with --minimum-learning-rate 1: want a number from 0 to 0.025",
  );
  assertThrows(() => configOf(given("--skips=2")), RunError, "is no search's run folder");
});

Deno.test({
  name: "configOf() suggests the name of a stored genotype",
  ignore: !permitted({ read: ["."] }), // it looks for a file of that name
  fn: () => {
    assertThrows(() => configOf(given("--arch=PDART")), RunError, 'did you mean "PDARTS"?');
  },
});

Deno.test("checkTrainingConfig() compares the numbers with the data", () => {
  const fails = (changes: Partial<TrainingConfig>, says: string) =>
    assertThrows(
      () => checkTrainingConfig({ ...trainingConfig(), ...changes }, { train: 200, test: 50 }),
      RangeError,
      says,
    );
  checkTrainingConfig(trainingConfig(), { train: 200, test: 50 });
  fails({ trainImages: 201 }, "trainImages 201: want an integer from 1 to 200");
  fails({ testImages: 51 }, "testImages 51: want an integer from 1 to 50");
  fails({ batch: 201 }, "batch 201: want an integer from 1 to 200");
});

Deno.test("TRAIN_COMMAND's help states both presets within 80 columns", () => {
  const parsed = parseCommandLine(TRAIN_COMMAND, ["--help"]);
  assert("help" in parsed);
  const words = parsed.help.replace(/\s+/g, " ");
  for (
    const part of [
      "--epochs <N> epochs: an integer from 1 (default: 600; quick: 3; imagenet: 250)",
      "--auxiliary <NAME> the auxiliary head: off or on (default: on)",
      "--arch <NAME|FILE|RUN>",
      "--threads <N> threads of the cpu backend: an integer from 1 to 256 (default: all cores)",
      "(default: the data set's)",
    ]
  ) assert(words.includes(part), part);
  assertEquals(parsed.help.split("\n").filter((line) => line.length > 80), []);
});

Deno.test("resumedOptions() refuses a training's options that reach its result", () => {
  const run = { options: TRAINING_OPTIONS, config: trainingConfig(), run: runOptionsOf({}) };
  for (const option of ["--arch=DARTS_V1", "--auxiliary=off", "--preset=quick", "--storage=f16"]) {
    const says = `Cannot resume with ${option}: the run was begun with`;
    assertThrows(() => resumedOptions(given(option), run), RunError, says);
  }
  const free = given("--arch=PDARTS", "--auxiliary=on", "--memory=low", "--threads=3");
  const { memory, backendOptions } = resumedOptions(free, run);
  assertEquals([memory, backendOptions.threads], ["low", 3]);
});
