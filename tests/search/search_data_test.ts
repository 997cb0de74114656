/** Tests of a stage's batches: which images, and how they are normalised. */

import { searchConfig, type SearchOverrides } from "../../search/config.ts";
import { stageLoaders } from "../../search/search_data.ts";
import { flatSplit, IDENTITY } from "../datasets/synthetic.ts";
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
  return stageLoaders(DATA, config, 0);
}

/** Which images an epoch visits. */
function visited(loader: ReturnType<typeof stageLoaders>["weights"]): number[] {
  return [...loader.epoch(0)].flatMap(({ labels }) => [...labels]).sort((a, b) => a - b);
}

const range = (first: number, end: number) =>
  Array.from({ length: end - first }, (_, index) => first + index);

Deno.test("stageLoaders() trains weights on the share asked for, alphas on the rest", () => {
  for (const [trainShare, middle] of [[0.5, 10], [0.8, 16]]) {
    const { weights, alphas, validation } = loaders({ trainShare });
    assertEquals(visited(weights), range(0, middle));
    assertEquals(visited(alphas), range(middle, 20));
    assertEquals(visited(validation), range(middle, 20));
  }
});

Deno.test("stageLoaders() uses the first images of each part where it is told how many", () => {
  const { weights, alphas } = loaders({ trainShare: 0.8, trainImages: 3 });
  assertEquals([visited(weights), visited(alphas)], [range(0, 3), range(16, 19)]);
  assertThrows(() => loaders({ trainShare: 0.8, trainImages: 5 }), RangeError, "want 1 to 4");
});

Deno.test("stageLoaders() normalises with the data set's numbers, or those asked for", () => {
  const first = (normalisation: SearchOverrides["normalisation"]) => {
    const [{ images, labels }] = loaders({ normalisation }).weights.epoch(0);
    return { red: images[0], green: images[1], value: labels[0] + 1 };
  };
  const usual = first({});
  assertAlmostEquals(usual.red, usual.value, 1e-4);
  const { red, green, value } = first({ mean: [0.5, 0, 0], std: [2, 1, 1] });
  assertAlmostEquals(red, (value / 255 - 0.5) / 2, 1e-6);
  assertAlmostEquals(green, value / 255, 1e-6);
});
