/** Tests of the search's options: presets, overrides, messages, help, and what a resume may change. */

import { parseCommandLine, UsageError } from "../../nn/command_line.ts";
import { RunError } from "../../nn/run_files.ts";
import { searchConfig } from "../../search/config.ts";
import { type GivenOptions, inOptions } from "../../nn/config_options.ts";
import { resumedOptions, runOptionsOf } from "../../nn/run_options.ts";
import { configOf, noteOn, SEARCH_COMMAND } from "../../search/options.ts";
import { SEARCH_OPTIONS } from "../../search/search_options.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

function given(...args: string[]): GivenOptions {
  const parsed = parseCommandLine(SEARCH_COMMAND, args);
  assert("values" in parsed);
  return parsed.values;
}

Deno.test("configOf() is the authors' command without options, and another preset by name", () => {
  assertEquals(configOf(given()), searchConfig("authors"));
  assertEquals(configOf(given("--preset=quick")), searchConfig("quick"));
  const paper = configOf(given("--preset=paper", "--dataset=cifar100"));
  assertEquals(paper.stages.map(({ skipDropout }) => skipDropout), [0.1, 0.2, 0.3]);
});

Deno.test("configOf() puts every option in its place", () => {
  const config = configOf(given(
    "--seed=7",
    "--layers=3,4,5",
    "--added-channels=0,2,4",
    "--skip-dropout=0,0.5,0",
    "--drop=4,2,1",
    "--learning-rate=0.1",
    "--alpha-learning-rate=0.2",
    "--clip=3",
    "--alpha-beta1=0.25",
    "--cutout=16",
    "--train-images=500",
    "--train-share=0.8",
    "--skip-dropout-decay=0.3",
    "--batch-norm-epsilon=1e-3",
    "--batch-norm-momentum=0.05",
    "--alpha-initial-deviation=0.01",
    "--mean=0.5,0.4,0.3",
    "--std=0.25,0.2,0.1",
  ));
  assertEquals(config.seed, 7);
  assertEquals(config.stages, [
    { layers: 3, addedChannels: 0, skipDropout: 0, drop: 4 },
    { layers: 4, addedChannels: 2, skipDropout: 0.5, drop: 2 },
    { layers: 5, addedChannels: 4, skipDropout: 0, drop: 1 },
  ]);
  assertEquals([config.weights.learningRate, config.weights.clip], [0.1, 3]);
  assertEquals([config.alphas.learningRate, config.alphas.beta1], [0.2, 0.25]);
  assertEquals([config.augmentation.cutout, config.trainImages], [16, 500]);
  assertEquals([config.trainShare, config.skipDropoutDecay], [0.8, 0.3]);
  assertEquals(config.batchNorm, { epsilon: 1e-3, momentum: 0.05 });
  assertEquals(config.alphas.initialDeviation, 0.01);
  assertEquals(config.normalisation, { mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.1] });
});

Deno.test("configOf() refuses options that do not fit together, by their names", () => {
  const cases = [
    [["--batch=9", "--train-images=8"], "--batch 9"],
    [["--drop=3,2,1"], "--drop 1 of stage 3"],
  ] as const;
  for (const [options, says] of cases) {
    assertThrows(() => configOf(given(...options)), UsageError, `Cannot search with ${says}: want`);
  }
});

Deno.test("noteOn() says that alphas are not trained when their first epoch never comes", () => {
  const says = "Alphas are not trained: --alpha-from-epoch 10 is not below --epochs";
  assertEquals(noteOn(configOf(given("--epochs=1"))), `${says} 1`);
  assertEquals(noteOn(configOf(given("--epochs=10"))), `${says} 10`);
  assertEquals(noteOn(configOf(given("--epochs=11"))), undefined);
});

Deno.test("inOptions() leaves other messages alone", () => {
  assertEquals(inOptions("Cannot load image 3", SEARCH_OPTIONS), "Cannot load image 3");
  assertEquals(
    inOptions("Cannot search with alphas.learningRate -1: want", SEARCH_OPTIONS),
    "Cannot search with --alpha-learning-rate -1: want",
  );
});

Deno.test("SEARCH_COMMAND's help states types, ranges and every preset's default", () => {
  const parsed = parseCommandLine(SEARCH_COMMAND, ["--help"]);
  assert("help" in parsed);
  const words = parsed.help.replace(/\s+/g, " ");
  for (
    const part of [
      "--epochs <N> epochs per stage: an integer from 1 (default: 25; quick: 4)",
      "--preset <NAME> where the defaults come from: authors, paper or quick (default: authors)",
      "(default: 0.1,0.4,0.7; paper: 0,0.4,0.7)",
      "webgpu backend: high-performance, low-power or software (default: high-performance)",
    ]
  ) assert(words.includes(part), part);
  assertEquals(parsed.help.split("\n").filter((line) => line.length > 80), []);
});

Deno.test("resumedOptions() takes over the run's own, but for what does not reach the result", () => {
  const run = {
    options: SEARCH_OPTIONS,
    config: configOf(given("--batch=8")),
    run: runOptionsOf(given("--threads=2", "--note=a", "--backend=cpu", "--data=/tmp/a")),
  };
  assertEquals(resumedOptions(given("--resume=a"), run), run.run);
  const changed = given("--resume=a", "--threads=1", "--data=/tmp/b", "--checkpoint-minutes=1");
  assertEquals(resumedOptions(changed, run), {
    ...run.run,
    backendOptions: { ...run.run.backendOptions, threads: 1 },
    data: "/tmp/b",
    checkpointMinutes: 1,
  });
  const same = given("--resume=a", "--batch=8", "--preset=authors", "--backend=auto", "--note=a");
  assertEquals(resumedOptions(same, run), run.run);
  assertEquals(resumedOptions(given("--resume=a", "--adapter=high-performance"), run), run.run);
  const software = { ...run, run: runOptionsOf(given("--backend=webgpu", "--adapter=software")) };
  assertEquals(software.run.backendOptions.adapter, "software");
  assertEquals(resumedOptions(given("--resume=a"), software), software.run);
  const low = resumedOptions(given("--resume=a", "--memory=low"), run);
  assertEquals(low, { ...run.run, memory: "low" });
  assertEquals(resumedOptions(given("--resume=a"), { ...run, run: low }).memory, "low");
  assertEquals(
    resumedOptions(
      given("--resume=a", "--subgroups=off", "--storage=f32", "--precision=tf32"),
      run,
    ),
    run.run,
  );
});

Deno.test("resumedOptions() refuses options that conflict with the run", () => {
  const run = {
    options: SEARCH_OPTIONS,
    config: configOf(given()),
    run: runOptionsOf(given("--backend=cpu")),
  };
  const cases = [
    "--batch=8",
    "--preset=quick",
    "--backend=webgpu",
    "--adapter=low-power",
    "--subgroups=on",
    "--storage=f16",
    "--precision=fp32",
    "--seed=3",
    "--layers=5,11,18",
    "--report-every=1",
    "--train-images=9",
    "--train-share=0.6",
    "--mean=0.5,0.5,0.5",
  ];
  for (const option of cases) {
    const says = `Cannot resume with ${option}: the run was begun with`;
    assertThrows(() => resumedOptions(given(option), run), RunError, says);
  }
  assertThrows(() => resumedOptions(given("--save=a"), run), UsageError, "--save with --resume");
});
