/** Tests of the crop's limits and of what is drawn when nothing fits. */

import { CounterRandom } from "../../backends/random.ts";
import { drawCrop, roundHalfEven } from "../../datasets/random_crop.ts";
import { assert, assertAlmostEquals, assertEquals } from "../assert.ts";

const range = { area: [0.08, 1], ratio: [3 / 4, 4 / 3] } as const;

Deno.test("roundHalfEven() rounds as Python does", () => {
  assertEquals([0.5, 1.5, 2.5, 2.4, 2.6, -0.5, -1.5].map(roundHalfEven), [0, 2, 2, 2, 3, -0, -2]);
});

Deno.test("drawCrop() stays in the image, in the areas and in the ratios", () => {
  for (const [width, height] of [[500, 375], [375, 500], [64, 64], [3, 2]]) {
    for (let i = 0; i < 500; i++) {
      const crop = drawCrop(new CounterRandom(1).fork(i), range, { width, height });
      assert(crop.left >= 0 && crop.left + crop.width <= width && crop.width > 0);
      assert(crop.top >= 0 && crop.top + crop.height <= height && crop.height > 0);
      const rounding = (crop.width + crop.height) / 2 + 0.25;
      assert(crop.width * crop.height >= 0.08 * width * height - rounding);
      assert((crop.width - 0.5) / (crop.height + 0.5) <= 4 / 3);
      assert((crop.width + 0.5) / (crop.height - 0.5) >= 3 / 4);
    }
  }
});

Deno.test("drawCrop() draws areas uniformly and logarithms of ratios about 0", () => {
  let area = 0, shape = 0;
  const count = 4000, small = { area: [0.1, 0.5], ratio: range.ratio } as const;
  for (let i = 0; i < count; i++) {
    const crop = drawCrop(new CounterRandom(2).fork(i), small, { width: 1000, height: 1000 });
    area += crop.width * crop.height / 1e6 / count;
    shape += Math.log(crop.width / crop.height) / count;
  }
  assertAlmostEquals(area, 0.3, 0.01);
  assertAlmostEquals(shape, 0, 0.015);
});

Deno.test("drawCrop() takes the centre when no drawn crop fits", () => {
  const random = new CounterRandom(4);
  assertEquals(drawCrop(random, range, { width: 20_000, height: 3 }), {
    left: 9998,
    top: 0,
    width: 4,
    height: 3,
  });
  assertEquals(drawCrop(random, range, { width: 3, height: 20_000 }), {
    left: 0,
    top: 9998,
    width: 3,
    height: 4,
  });
  const tooLarge = { area: [4, 4], ratio: [1, 1] } as const;
  assertEquals(drawCrop(random, tooLarge, { width: 5, height: 5 }).width, 5);
});

Deno.test("drawCrop() takes an image of one pixel whole", () => {
  for (let i = 0; i < 50; i++) {
    const crop = drawCrop(new CounterRandom(6).fork(i), range, { width: 1, height: 1 });
    assertEquals(crop, { left: 0, top: 0, width: 1, height: 1 });
  }
});
