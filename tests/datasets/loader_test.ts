/** Tests of batches: their order, their last one, and continuing from a saved position. */

import { BatchLoader, type BatchLoaderOptions, searchParts } from "../../datasets/loader.ts";
import { assertEquals, assertNotEquals, assertThrows } from "../assert.ts";
import { flatSplit, IDENTITY } from "./synthetic.ts";

const split = flatSplit(20);

function makeLoader(options: Partial<BatchLoaderOptions> = {}): BatchLoader {
  return new BatchLoader({ split, statistics: IDENTITY, batchSize: 6, seed: 3, ...options });
}

/** Labels of an epoch, batch by batch. */
function labelsOf(loader: BatchLoader, epoch: number): number[][] {
  return Array.from(loader.epoch(epoch), ({ labels }) => Array.from(labels));
}

const ascending = (values: Iterable<number>) => Array.from(values).sort((a, b) => a - b);

Deno.test("epoch() visits every image once when the last batch is partial", () => {
  const loader = makeLoader(), batches = labelsOf(loader, 0);
  assertEquals(loader.batchesPerEpoch, 4);
  assertEquals(batches.map((labels) => labels.length), [6, 6, 6, 2]);
  assertEquals(ascending(batches.flat()), Array.from({ length: 20 }, (_, i) => i));
});

Deno.test("epoch() yields the image that belongs to each label", () => {
  for (const { images, labels, size } of makeLoader({ augment: false }).epoch(1)) {
    assertEquals(images.length, size * 3072);
    for (let i = 0; i < size; i++) assertEquals(Math.round(images[i * 3072]), labels[i] + 1);
  }
});

Deno.test("epoch() yields arrays of its own for every batch", () => {
  const [first, second] = makeLoader({ augment: false, shuffle: false }).epoch(0);
  first.images.fill(0);
  assertEquals(Math.round(second.images[0]), 7);
});

Deno.test("epoch() has a fresh order in each epoch, stream and seed, and repeats it", () => {
  const order = labelsOf(makeLoader(), 2);
  assertEquals(labelsOf(makeLoader(), 2), order);
  assertNotEquals(labelsOf(makeLoader(), 3), order);
  assertNotEquals(labelsOf(makeLoader({ seed: 4 }), 2), order);
  assertNotEquals(labelsOf(makeLoader({ stream: [1] }), 2), order);
});

Deno.test("epoch() keeps the given order when it does not shuffle", () => {
  const loader = makeLoader({ shuffle: false, indices: [4, 2, 9], batchSize: 2 });
  assertEquals(labelsOf(loader, 5), [[4, 2], [9]]);
});

Deno.test("epoch() augments by position when started in the middle", () => {
  const loader = makeLoader({ cutout: 16 });
  const whole = Array.from(loader.epoch(1)), tail = Array.from(loader.epoch(1, 2));
  assertEquals(tail, whole.slice(2));
});

Deno.test("epoch() yields the same images in another batch size", () => {
  const flat = (batchSize: number) =>
    Array.from(makeLoader({ batchSize }).epoch(0), ({ images }) => Array.from(images)).flat();
  assertEquals(flat(7), flat(20));
});

Deno.test("cycle() restarts in a fresh order when an epoch ends", () => {
  const loader = makeLoader(), cycle = loader.cycle();
  const labels = Array.from({ length: 8 }, () => Array.from(cycle.next().labels));
  assertEquals(labels.slice(0, 4), labelsOf(loader, 0));
  assertEquals(labels.slice(4), labelsOf(loader, 1));
});

Deno.test("cycle() continues exactly from any saved position", () => {
  const loader = makeLoader({ cutout: 8 }), reference = loader.cycle();
  for (let taken = 0; taken < 9; taken++) {
    const position = JSON.parse(JSON.stringify(reference.position()));
    const expected = reference.next();
    assertEquals(makeLoader({ cutout: 8 }).cycle(position).next(), expected);
  }
  assertEquals(reference.position(), { epoch: 2, batch: 1 });
});

Deno.test("cycle() throws when the position is not one of this loader", () => {
  assertThrows(() => makeLoader().cycle({ epoch: 0, batch: 5 }), RangeError, "an epoch has 4");
  assertThrows(() => makeLoader().cycle({ epoch: -1, batch: 0 }), RangeError, "got -1");
  assertThrows(() => makeLoader().cycle({ epoch: 0, batch: 0.5 }), RangeError, "got 0.5");
});

Deno.test("BatchLoader() throws when the batch is larger than the data set", () => {
  assertThrows(
    () => makeLoader({ batchSize: 21 }),
    RangeError,
    "Cannot load batches of 21 images: want 1 to 20",
  );
  assertThrows(() => makeLoader({ batchSize: 0 }), RangeError);
  assertThrows(() => makeLoader({ batchSize: 2.5 }), RangeError);
});

Deno.test("BatchLoader() throws when an index or range leaves the split", () => {
  assertThrows(() => makeLoader({ indices: [0, 20], batchSize: 1 }), RangeError, "image 20");
  assertThrows(
    () => makeLoader({ indices: { first: 15, end: 22 } }),
    RangeError,
    "Cannot load image 20",
  );
  assertThrows(() => makeLoader({ indices: { first: 5, end: 5 } }), RangeError, "want 1 to 0");
});

Deno.test("searchParts() splits by index", () => {
  assertEquals(searchParts(50000), {
    weights: { first: 0, end: 25000 },
    alphas: { first: 25000, end: 50000 },
  });
  assertEquals(searchParts(21).alphas, { first: 10, end: 21 });
  assertEquals(searchParts(50000, { share: 0.9 }), {
    weights: { first: 0, end: 45000 },
    alphas: { first: 45000, end: 50000 },
  });
});

Deno.test("searchParts() takes the first images of each part when limited", () => {
  const parts = searchParts(50000, { images: 512 });
  assertEquals(parts.weights, { first: 0, end: 512 });
  assertEquals(parts.alphas, { first: 25000, end: 25512 });
});

Deno.test("searchParts() throws when a part has too few images", () => {
  assertThrows(() => searchParts(20, { images: 11 }), RangeError, "want 1 to 10");
  assertThrows(() => searchParts(20, { images: 0 }), RangeError, "Cannot use 0 images");
  assertThrows(() => searchParts(20, { share: 0.9, images: 3 }), RangeError, "want 1 to 2");
  assertThrows(() => searchParts(20, { share: 1 }), RangeError, "got 1");
  assertThrows(() => searchParts(1), RangeError, "Cannot split 1 images");
});
