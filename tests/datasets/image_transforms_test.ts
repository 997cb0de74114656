/** Tests of the transforms against torchvision's results on photographs, and of their random choices. */

import { CounterRandom } from "../../backends/random.ts";
import { decodeImage, type RgbImage } from "../../datasets/decode.ts";
import {
  checkTestTransform,
  checkTrainTransform,
  drawTransform,
  testImage,
  trainImage,
  type TrainTransform,
} from "../../datasets/image_transforms.ts";
import { assertAlmostEquals, assertEquals, assertThrows } from "../assert.ts";
import { decodingPermitted, photograph, readExpected, transformCases } from "./image_fixtures.ts";

const IMAGENET: TrainTransform = {
  size: 224,
  area: [0.08, 1],
  ratio: [3 / 4, 4 / 3],
  flipProbability: 0.5,
  jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.2 },
};

/** An image whose red tells the column and whose green tells the row. */
function ramp(width: number, height: number): RgbImage {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.set([i % width, Math.floor(i / width), 0], 3 * i);
  return { pixels, width, height };
}

for (const { photograph: name, expected, size, choice, resize = 0 } of transformCases) {
  Deno.test({
    name: `${choice ? "train" : "test"}Image() gives torchvision's pixels of ${expected}`,
    ignore: !decodingPermitted(),
    async fn() {
      const image = await decodeImage(photograph(name));
      const pixels = choice
        ? trainImage(image, { size }, choice)
        : testImage(image, { resize, size });
      assertEquals(pixels, (await readExpected(expected)).pixels);
    },
  });
}

Deno.test("trainImage() mirrors the crop when the choice says so", () => {
  const crop = { left: 3, top: 5, width: 5, height: 5 };
  const pixels = trainImage(ramp(20, 20), { size: 5 }, { crop, flip: true, jitter: [] });
  const row = (first: number) => [...pixels.subarray(first * 15, first * 15 + 15)];
  assertEquals(row(0), [7, 5, 0, 6, 5, 0, 5, 5, 0, 4, 5, 0, 3, 5, 0]);
  assertEquals(row(4), [7, 9, 0, 6, 9, 0, 5, 9, 0, 4, 9, 0, 3, 9, 0]);
});

Deno.test("testImage() cuts out the centre, of a half pixel the even one", () => {
  const pixels = testImage(ramp(13, 8), { resize: 8, size: 8 });
  assertEquals([pixels[0], pixels[1]], [2, 0]);
  assertEquals([pixels[3 * 63], pixels[3 * 63 + 1]], [9, 7]);
});

Deno.test("testImage() makes an image 20,000 times as wide as high", () => {
  const image = { pixels: new Uint8Array(60_000).fill(7), width: 20_000, height: 1 };
  assertEquals(testImage(image, { resize: 256, size: 224 }), new Uint8Array(224 * 224 * 3).fill(7));
});

Deno.test("drawTransform() draws the same from the same stream, as plain JSON", () => {
  const size = { width: 500, height: 375 };
  const [first, again, other] = [1, 1, 2].map((stream) =>
    drawTransform(new CounterRandom(7).fork(stream), IMAGENET, size)
  );
  assertEquals(first, again);
  assertEquals(JSON.parse(JSON.stringify(first)), first);
  assertEquals(first.crop.width === other.crop.width && first.crop.top === other.crop.top, false);
});

Deno.test("drawTransform() mirrors as often as it is told", () => {
  let flips = 0;
  for (let i = 0; i < 2000; i++) {
    const random = new CounterRandom(3).fork(i);
    if (drawTransform(random, { ...IMAGENET, flipProbability: 0.3 }, ramp(9, 9)).flip) flips++;
  }
  assertAlmostEquals(flips / 2000, 0.3, 0.04);
});

Deno.test("checkTrainTransform() throws for each number that is out of its range", () => {
  checkTrainTransform(IMAGENET);
  const wrong: [Partial<TrainTransform>, string][] = [
    [{ size: 0 }, "want a size of 1 or more, got 0"],
    [{ area: [0, 1] }, "want areas 0 < A <= B <= 1, got 0,1"],
    [{ area: [0.5, 1.5] }, "want areas 0 < A <= B <= 1, got 0.5,1.5"],
    [{ ratio: [2, 1] }, "want ratios 0 < A <= B, got 2,1"],
    [{ flipProbability: NaN }, "want a probability from 0 to 1, got NaN"],
    [{ jitter: { ...IMAGENET.jitter, contrast: -1 } }, "want a contrast of 0 or more, got -1"],
    [{ jitter: { ...IMAGENET.jitter, hue: 0.6 } }, "want a hue from 0 to 0.5, got 0.6"],
  ];
  for (const [change, message] of wrong) {
    assertThrows(() => checkTrainTransform({ ...IMAGENET, ...change }), RangeError, message);
  }
});

Deno.test("checkTestTransform() throws when the centre is larger than the image", () => {
  checkTestTransform({ resize: 256, size: 256 });
  assertThrows(
    () => checkTestTransform({ resize: 256, size: 257 }),
    RangeError,
    "want a size of at most 256, got 257",
  );
});
