/** Tests of the config: the published numbers, changes to them, and the limits. */

import { searchConfig, type SearchOverrides } from "../../search/config.ts";
import { checkSearchConfig } from "../../search/config_checks.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

Deno.test("searchConfig() gives the authors' numbers by default", () => {
  const config = searchConfig();
  assertEquals(config.stages.map((stage) => stage.layers), [5, 11, 17]);
  assertEquals(config.stages.map((stage) => stage.drop), [3, 2, 2]);
  assertEquals(config.stages.map((stage) => stage.skipDropout), [0.1, 0.4, 0.7]);
  assertEquals([config.epochs, config.alphaFromEpoch, config.batch, config.channels], [
    25,
    10,
    96,
    16,
  ]);
  assertEquals(config.weights, {
    learningRate: 0.025,
    minimumLearningRate: 0,
    momentum: 0.9,
    weightDecay: 3e-4,
    clip: 5,
  });
  assertEquals(config.alphas, {
    initialDeviation: 1e-3,
    learningRate: 6e-4,
    beta1: 0.5,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 1e-3,
    clip: 5,
  });
  assertEquals([config.trainShare, config.skipDropoutDecay], [0.5, 0.2]);
  assertEquals(config.batchNorm, { epsilon: 1e-5, momentum: 0.1 });
  assertEquals(JSON.parse(JSON.stringify(config)), config);
});

Deno.test("searchConfig() takes the paper's skip dropout by data set", () => {
  const rates = (dataset: "cifar10" | "cifar100") =>
    searchConfig("paper", { dataset }).stages.map((stage) => stage.skipDropout);
  assertEquals(rates("cifar10"), [0, 0.4, 0.7]);
  assertEquals(rates("cifar100"), [0.1, 0.2, 0.3]);
});

Deno.test("searchConfig() makes the quick preset a valid, smaller search of three stages", () => {
  const quick = searchConfig("quick"), authors = searchConfig();
  assertEquals(quick.stages.length, 3);
  assert(quick.trainImages !== null && quick.channels < authors.channels);
  quick.stages.forEach((stage, index) => assert(stage.layers <= authors.stages[index].layers));
});

Deno.test("searchConfig() applies changes one by one and leaves the presets alone", () => {
  const config = searchConfig("authors", {
    epochs: 30,
    weights: { learningRate: 0.1, momentum: undefined },
    addedChannels: [0, 8, 16],
    batch: undefined,
  });
  assertEquals(config.epochs, 30);
  assertEquals(config.weights.learningRate, 0.1);
  assertEquals(config.weights.momentum, 0.9);
  assertEquals(config.batch, 96);
  assertEquals(config.stages.map((stage) => stage.addedChannels), [0, 8, 16]);
  assertEquals(searchConfig().stages.map((stage) => stage.addedChannels), [0, 0, 0]);
});

Deno.test("searchConfig() names the option that is out of range", () => {
  const refuse = (overrides: SearchOverrides, message: string) =>
    assertThrows(() => searchConfig("authors", overrides), RangeError, message);
  refuse({ epochs: 0 }, "epochs 0: want an integer from 1");
  refuse({ epochs: 2.5 }, "epochs 2.5: want an integer");
  refuse({ channels: 15 }, "channels 15: want an even integer from 2");
  refuse({ batch: 0 }, "batch 0: want an integer from 1");
  refuse({ batch: 65, trainImages: 64 }, "batch 65: want an integer from 1 to 64");
  refuse({ seed: -1 }, "seed -1");
  refuse({ alphaFromEpoch: -1 }, "alphaFromEpoch -1: want an integer from 0");
  refuse({ weights: { momentum: 1 } }, "weights.momentum 1: want a number from 0 to below 1");
  refuse({ weights: { learningRate: NaN } }, "weights.learningRate NaN");
  for (const trainShare of [0, 1]) {
    refuse({ trainShare }, `trainShare ${trainShare}: want a number above 0 to below 1`);
  }
  refuse({ skipDropoutDecay: -1 }, "skipDropoutDecay -1: want a number from 0");
  refuse({ batchNorm: { epsilon: 0 } }, "batchNorm.epsilon 0: want a number above 0");
  refuse({ batchNorm: { momentum: 2 } }, "batchNorm.momentum 2: want a number from 0 to 1");
  refuse({ normalisation: { mean: [0, 0, 2] } }, "normalisation.mean 2: want a number from 0 to 1");
  refuse({ normalisation: { std: [1, 0, 1] } }, "normalisation.std 0: want a number above 0");
  refuse({ skipDropout: [0, 1, 0] }, "skipDropout of stage 2 1: want a number from 0 to below 1");
  refuse({ layers: [5, 2, 17] }, "layers of stage 2 2: want an integer from 3");
  refuse({ addedChannels: [0, 8] }, "want 3 values, one per stage");
  refuse({ drop: [3, 2, 1] }, "want 2, so that one primitive stays on each edge");
  refuse({ drop: [8, 0, 0] }, "drop of stage 1 8: want an integer from 0 to 7");
});

Deno.test("searchConfig() suggests the preset that was meant", () => {
  assertThrows(() => searchConfig("quik"), RangeError, 'did you mean "quick"');
  const overrides = { dataset: "cifar" } as unknown as SearchOverrides;
  assertThrows(() => searchConfig("paper", overrides), RangeError, "want cifar10, cifar100");
});

Deno.test("checkSearchConfig() compares the batch with the data", () => {
  const config = searchConfig();
  checkSearchConfig(config, { images: 25000 });
  assertThrows(
    () => checkSearchConfig(config, { images: 95 }),
    RangeError,
    "batch 96: want an integer from 1 to 95",
  );
  assertThrows(
    () => checkSearchConfig({ ...config, trainImages: 200 }, { images: 100 }),
    RangeError,
    "trainImages 200: want an integer from 1 to 100",
  );
});
