/** Tests of batches of image files: order, workers, resuming, unreadable images and failing workers. */

import type { Batch, BatchSource } from "../../datasets/batch_source.ts";
import {
  BatchSources,
  type FolderOptions,
  type SourceOptions,
} from "../../datasets/batch_sources.ts";
import { readImageFolder } from "../../datasets/image_folder.ts";
import { DatasetError, type FolderDataset } from "../../datasets/types.ts";
import { type Part, UnreadableImages } from "../../datasets/unreadable.ts";
import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "../assert.ts";
import { permitted } from "../permitted.ts";
import { withScratch } from "../scratch.ts";
import { type MadeImage, TEXT_FILE, writeImages } from "./made_images.ts";
import { IDENTITY } from "./synthetic.ts";

const ignore = !permitted({
  read: [".", "/usr/bin/ldd"],
  write: [".cache"],
  env: ["MALLOC_ARENA_MAX", "npm_package_config_libvips"],
  ffi: true,
});

const SIDE = 4;
const TRANSFORMS: FolderOptions = {
  train: {
    size: SIDE,
    area: [0.2, 1],
    ratio: [3 / 4, 4 / 3],
    flipProbability: 0.5,
    jitter: { brightness: 0, contrast: 0, saturation: 0, hue: 0 },
  },
  test: { resize: SIDE, size: SIDE },
};

/** Runs the body on `count` images of two classes, number i of red i, besides those given. */
function withImages(
  count: number,
  others: Record<string, MadeImage>,
  body: (data: FolderDataset) => Promise<void>,
): Promise<void> {
  return withScratch(async (root) => {
    const images: Record<string, MadeImage> = {};
    for (let index = 0; index < count; index++) {
      const name = `${"ab"[index % 2]}/${String(index).padStart(3, "0")}.png`;
      images[`train/${name}`] = images[`val/${name}`] = { colour: [index, 7, 9] };
    }
    await writeImages(root, { ...images, ...others });
    await body({ ...await readImageFolder({ name: "imagefolder", root }), ...IDENTITY });
  });
}

const DEFAULTS = { batchSize: 4, seed: 3 };
const TESTING = { augment: false, shuffle: false };

/** What the body makes of a source that is closed after it. */
async function withSource<T>(
  data: FolderDataset,
  options: { part?: Part; folder?: FolderOptions } & Partial<SourceOptions>,
  body: (source: BatchSource) => Promise<T>,
): Promise<T> {
  const { part = "train", folder, ...source } = options;
  using sources = new BatchSources(data, { ...TRANSFORMS, ...folder });
  return await body(sources.open(part, { ...DEFAULTS, ...source }));
}

/** The red of each image of a batch. */
const reds = ({ images, size }: Batch) =>
  Array.from({ length: size }, (_, index) => Math.round(images[index * SIDE * SIDE * 3]));

const epoch = (data: FolderDataset, options: Parameters<typeof withSource>[1], start = 0) =>
  withSource(data, options, (source) => Array.fromAsync(source.epoch(1, start)));

const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

Deno.test({
  name: "epoch() yields every image of a folder once, as pixels [height, width, 3] with its label",
  ignore,
  fn: () =>
    withImages(10, {}, async (data) => {
      const batches = await epoch(data, {});
      assertEquals(batches.map(({ size }) => size), [4, 4, 2]);
      assertEquals(ascending(batches.flatMap(reds)), range(10));
      for (const batch of batches) {
        assertEquals([...batch.labels], reds(batch).map((red) => red % 2));
        assertEquals(batch.images.length, batch.size * SIDE * SIDE * 3);
        assertEquals([Math.round(batch.images[1]), batch.imageSize], [7, SIDE]);
      }
    }),
});

/** An image of which every crop differs. */
const GRADIENT: Record<string, MadeImage> = {
  "train/a/gradient.png": {
    colour: (row, column) => [20 * row, 20 * column, row * column],
    side: 12,
  },
};

Deno.test({
  name: "epoch() yields the same bits with any number of workers, prefetch and first batch",
  ignore,
  fn: () =>
    withImages(14, GRADIENT, async (data) => {
      const batches = await epoch(data, { folder: { workers: 1 } });
      assertEquals(await epoch(data, { folder: { workers: 3 } }), batches);
      assertEquals(await epoch(data, { folder: { workers: 2, prefetchBytes: 1 } }), batches);
      assertEquals(await epoch(data, {}, 2), batches.slice(2));
      assertEquals(await epoch(data, {}, 4), []);
      assertNotEquals(await epoch(data, { seed: 4 }), batches);
      assertNotEquals(await epoch(data, { stream: [1] }), batches);
    }),
});

Deno.test({
  name: "cycle() goes on over epochs, and from a saved position exactly there",
  ignore,
  fn: () =>
    withImages(6, {}, async (data) => {
      const take = (count: number, position?: { epoch: number; batch: number }) =>
        withSource(data, {}, async (source) => {
          const cycle = source.cycle(position), batches: Batch[] = [];
          for (let index = 0; index < count; index++) batches.push(await cycle.next());
          return { batches, position: cycle.position() };
        });
      const whole = await take(5);
      assertEquals(whole.batches.map(({ size }) => size), [4, 2, 4, 2, 4]);
      assertEquals(whole.position, { epoch: 2, batch: 1 });
      const { position } = await take(2);
      assertEquals(position, { epoch: 0, batch: 2 });
      assertEquals((await take(3, position)).batches, whole.batches.slice(2));
    }),
});

Deno.test({
  name: "open() gives a run of a folder's indices all classes, and tests in one order",
  ignore,
  fn: () =>
    withImages(12, {}, async (data) => {
      const part = (first: number, end: number) =>
        epoch(data, { part: "test", ...TESTING, indices: { first, end } });
      const [first, second] = [await part(0, 6), await part(6, 12)];
      for (const batches of [first, second]) {
        const labels = batches.flatMap(({ labels }) => [...labels]);
        assertEquals(labels.filter((label) => label === 0).length, 3);
      }
      assertEquals(ascending([...first, ...second].flatMap(reds)), range(12));
    }),
});

const BROKEN = { "train/a/x.png": TEXT_FILE, "train/b/y.jpg": TEXT_FILE, "val/a/x.png": TEXT_FILE };

Deno.test({
  name: "epoch() gives an unreadable image's place to the next of the order, and counts it once",
  ignore,
  fn: () =>
    withImages(10, BROKEN, async (data) => {
      const unreadable = new UnreadableImages({ share: 0.2 });
      const folder = { unreadable, workers: 2 };
      const names = (images: readonly { path: string }[]) =>
        images.map(({ path }) => path.split("/").slice(-3).join("/")).sort();
      const batches = await withSource(data, { folder }, async (source) => {
        const batches = await Array.fromAsync(source.epoch(1));
        assertEquals(names(unreadable.images), ["train/a/x.png", "train/b/y.jpg"]);
        await Array.fromAsync(source.epoch(2));
        return batches;
      });
      assertEquals(unreadable.images.length, 2);
      assertEquals(batches.map(({ size }) => size), [4, 4, 4]);
      // Every place has a readable image: those of the order, and for the two broken ones their followers.
      const seen = batches.flatMap(reds);
      assertEquals([...new Set(ascending(seen))], range(10));
      const known = new UnreadableImages({ share: 0.2, known: unreadable.images });
      assertEquals(await epoch(data, { folder: { unreadable: known, workers: 1 } }), batches);
      const fresh = new UnreadableImages({ share: 0.2 });
      assertEquals(await epoch(data, { folder: { unreadable: fresh } }, 1), batches.slice(1));
    }),
});

Deno.test({
  name: "epoch() leaves unreadable images out of a test, down to an empty batch",
  ignore,
  fn: () =>
    withImages(4, BROKEN, async (data) => {
      const unreadable = new UnreadableImages({ share: 0.5 });
      const test = { part: "test" as const, ...TESTING, batchSize: 1, folder: { unreadable } };
      const batches = await epoch(data, test);
      assertEquals(ascending(batches.map(({ size }) => size)), [0, 1, 1, 1, 1]);
      assertEquals(ascending(batches.flatMap(reds)), range(4));
      assertEquals(unreadable.images.map(({ part }) => part), ["test"]);
    }),
});

Deno.test({
  name: "epoch() throws with the list when more images are unreadable than may be",
  ignore,
  fn: () =>
    withImages(10, BROKEN, async (data) => {
      const error = await assertRejects(() => epoch(data, {}), DatasetError, "of the 12 train");
      assert(/x\.png \(|y\.jpg \(/.test(error.message) && !error.message.includes("\n"));
      // With a share of 10 %, one is allowed, and the second stops.
      const folder = { unreadable: new UnreadableImages({ share: 0.1 }) };
      await assertRejects(() => epoch(data, { folder }), DatasetError, "2 of the 12 train images");
    }),
});

Deno.test({
  name: "epoch() throws when no image of a small part can be read",
  ignore,
  fn: () =>
    withImages(20, { "train/a/x.png": TEXT_FILE }, async (data) => {
      const folder = { unreadable: new UnreadableImages({ share: 0.5 }) };
      using sources = new BatchSources(data, { ...TRANSFORMS, ...folder });
      const singles = range(data.train.count).map((first) => {
        const options = { batchSize: 1, indices: { first, end: first + 1 } };
        return Array.fromAsync(sources.open("train", options).epoch(0))
          .then(() => "read", ({ message }: Error) => message);
      });
      const failed = (await Promise.all(singles)).filter((outcome) => outcome !== "read");
      assertEquals(failed, ["Cannot load a batch: no image of 1 can be read"]);
    }),
});

Deno.test("UnreadableImages() throws when the share is no share", () => {
  for (const share of [-0.1, 1, NaN]) {
    assertThrows(() => new UnreadableImages({ share }), RangeError);
  }
});
