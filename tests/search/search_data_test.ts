/** Tests of a stage's batches: which images, and how they are normalised. */

import { searchConfig, type SearchOverrides } from "../../search/config.ts";
import { stageLoaders } from "../../search/search_data.ts";
import { flatSplit, IDENTITY } from "../datasets/synthetic.ts";
import type { BatchSource } from "../../datasets/batch_source.ts";
import { BatchSources } from "../../datasets/batch_sources.ts";
import type { ImageDataset } from "../../datasets/types.ts";
import { assertAlmostEquals, assertEquals, assertThrows } from "../assert.ts";

const DATA: ImageDataset = {
  ...IDENTITY,
  name: "cifar10",
  classes: [],
  train: flatSplit(20),
  test: flatSplit(1),
};

function loaders(overrides: SearchOverrides) {
  const config = searchConfig("authors", {
    batch: 2,
    augmentation: { cropPadding: 0 },
    ...overrides,
  });
  return stageLoaders(new BatchSources(DATA), config, 0);
}

/** Which images an epoch visits. */
async function visited(source: BatchSource): Promise<number[]> {
  const batches = await Array.fromAsync(source.epoch(0));
  return batches.flatMap(({ labels }) => [...labels]).sort((a, b) => a - b);
}

const range = (first: number, end: number) =>
  Array.from({ length: end - first }, (_, index) => first + index);

Deno.test("stageLoaders() trains weights on the share asked for, alphas on the rest", async () => {
  for (const [trainShare, middle] of [[0.5, 10], [0.8, 16]]) {
    const { weights, alphas, validation } = loaders({ trainShare });
    assertEquals(await visited(weights), range(0, middle));
    assertEquals(await visited(alphas), range(middle, 20));
    assertEquals(await visited(validation), range(middle, 20));
  }
});

Deno.test("stageLoaders() uses the first images of each part where it is told how many", async () => {
  const { weights, alphas } = loaders({ trainShare: 0.8, trainImages: 3 });
  assertEquals([await visited(weights), await visited(alphas)], [range(0, 3), range(16, 19)]);
  assertThrows(() => loaders({ trainShare: 0.8, trainImages: 5 }), RangeError, "want 1 to 4");
});

Deno.test("stageLoaders() normalises with the data set's numbers, or those asked for", async () => {
  const first = async (normalisation: SearchOverrides["normalisation"]) => {
    const { weights } = loaders({ normalisation });
    const [{ images, labels }] = await Array.fromAsync(weights.epoch(0));
    return { red: images[0], green: images[1], value: labels[0] + 1 };
  };
  const usual = await first({});
  assertAlmostEquals(usual.red, usual.value, 1e-4);
  const { red, green, value } = await first({ mean: [0.5, 0, 0], std: [2, 1, 1] });
  assertAlmostEquals(red, (value / 255 - 0.5) / 2, 1e-6);
  assertAlmostEquals(green, value / 255, 1e-6);
});
