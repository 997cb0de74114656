/** Tests of the resizing against its definition in float64; PIL's bits are in `image_transforms_test.ts`. */

import { CounterRandom } from "../../backends/random.ts";
import type { RgbImage } from "../../datasets/decode.ts";
import { type Box, resample } from "../../datasets/resample.ts";
import { assert, assertEquals } from "../assert.ts";

function noise(width: number, height: number): RgbImage {
  const random = new CounterRandom(5);
  const pixels = Uint8Array.from({ length: width * height * 3 }, () => random.integer(256));
  return { pixels, width, height };
}

/** Weights of one output along an axis: a triangle over the inputs, normalised. */
function naiveWeights(input: number, output: number, at: number): number[] {
  const scale = input / output, support = Math.max(scale, 1), centre = (at + 0.5) * scale;
  const weights = Array.from(
    { length: input },
    (_, i) => Math.max(0, 1 - Math.abs(i + 0.5 - centre) / support),
  );
  const total = weights.reduce((sum, weight) => sum + weight);
  return weights.map((weight) => weight / total);
}

function naive(image: RgbImage, box: Box, { width, height }: { width: number; height: number }) {
  const columns = Array.from({ length: width }, (_, x) => naiveWeights(box.width, width, x));
  const rows = Array.from({ length: height }, (_, y) => naiveWeights(box.height, height, y));
  return Array.from({ length: width * height * 3 }, (_, at) => {
    const column = columns[Math.floor(at / 3) % width], row = rows[Math.floor(at / 3 / width)];
    let sum = 0;
    for (const [y, down] of row.entries()) {
      for (const [x, across] of column.entries()) {
        const pixel = (box.top + y) * image.width + box.left + x;
        sum += down * across * image.pixels[3 * pixel + at % 3];
      }
    }
    return sum;
  });
}

Deno.test("resample() is within a grey level of the definition, whichever axis comes first", () => {
  const image = noise(23, 31), box = { left: 2, top: 3, width: 19, height: 27 };
  const sizes = [[7, 5], [5, 7], [19, 27], [19, 6], [40, 13], [6, 50], [33, 47], [1, 1], [18, 9]];
  for (const [width, height] of sizes) {
    const actual = resample(image, { box, width, height });
    const expected = naive(image, box, { width, height });
    assertEquals(actual.length, expected.length);
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - actual[i])));
    assert(worst <= 1, `${width}x${height}: ${worst}`);
  }
});

Deno.test("resample() makes a window as it makes the whole, whichever axis comes first", () => {
  const image = noise(40, 60), box = { left: 1, top: 2, width: 37, height: 55 };
  const window = { left: 4, top: 3, width: 9, height: 5 };
  for (const [width, height] of [[20, 30], [20, 8], [15, 60]]) {
    const whole = resample(image, { box, width, height });
    const rows = Array.from({ length: window.height }, (_, y) => {
      const first = ((window.top + y) * width + window.left) * 3;
      return [...whole.subarray(first, first + 3 * window.width)];
    });
    assertEquals([...resample(image, { box, width, height, window })], rows.flat());
  }
});

Deno.test("resample() does not look beyond the box", () => {
  const image = noise(30, 30), box = { left: 10, top: 10, width: 8, height: 12 };
  const before = resample(image, { box, width: 5, height: 5 });
  for (let y = 0; y < 30; y++) {
    for (let x = 0; x < 30; x++) {
      const inside = x >= 10 && x < 18 && y >= 10 && y < 22;
      if (!inside) image.pixels.fill(255, (y * 30 + x) * 3, (y * 30 + x) * 3 + 3);
    }
  }
  assertEquals(resample(image, { box, width: 5, height: 5 }), before);
});

Deno.test("resample() keeps an image of the wanted size as it is", () => {
  const image = noise(9, 7), box = { left: 0, top: 0, width: 9, height: 7 };
  assertEquals(resample(image, { box, width: 9, height: 7 }), image.pixels);
});
