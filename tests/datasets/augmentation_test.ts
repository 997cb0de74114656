/** Tests of the augmentation against a naive one, and of the statistics of its random choices. */

import { CounterRandom } from "../../backends/random.ts";
import {
  type AugmentationChoice,
  augmentBatch,
  augmentImage,
  drawAugmentation,
  IMAGE_SIZE,
  IMAGE_VALUES,
  normalisationTable,
} from "../../datasets/augmentation.ts";
import { CIFAR10_STATISTICS } from "../../datasets/cifar_tables.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "../assert.ts";
import { syntheticSplit } from "./synthetic.ts";

const split = syntheticSplit(3);
const table = normalisationTable(CIFAR10_STATISTICS);

/** Pads, crops, flips, normalises and cuts one pixel value at a time, as the definition reads. */
function naive(index: number, choice: AugmentationChoice, cutout: number): number[] {
  const { mean, std } = CIFAR10_STATISTICS;
  const result: number[] = [];
  for (let row = 0; row < 32; row++) {
    for (let column = 0; column < 32; column++) {
      const inSquare = choice.cutout !== undefined &&
        row >= choice.cutout.row - (cutout >> 1) && row < choice.cutout.row + (cutout >> 1) &&
        column >= choice.cutout.column - (cutout >> 1) &&
        column < choice.cutout.column + (cutout >> 1);
      const y = row + choice.top - 4;
      const x = (choice.flip ? 31 - column : column) + choice.left - 4;
      for (let channel = 0; channel < 3; channel++) {
        const padded = y < 0 || y > 31 || x < 0 || x > 31;
        const value = padded ? 0 : split.images[index * IMAGE_VALUES + (y * 32 + x) * 3 + channel];
        result.push(inSquare ? 0 : (value / 255 - mean[channel]) / std[channel]);
      }
    }
  }
  return result;
}

function assertClose(actual: Float32Array, expected: number[]): void {
  assertEquals(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (Math.abs(actual[i] - expected[i]) > 1e-6) assertAlmostEquals(actual[i], expected[i], 1e-6);
  }
}

Deno.test("normalisationTable() holds (value / 255 - mean) / std per channel", () => {
  assertEquals(table.length, 768);
  assertAlmostEquals(table[0], -0.49139968 / 0.24703233, 1e-6);
  assertAlmostEquals(table[256 + 255], (1 - 0.48215827) / 0.24348505, 1e-6);
  assertAlmostEquals(table[512 + 128], (128 / 255 - 0.44653124) / 0.26158768, 1e-6);
});

Deno.test("normalisationTable() throws when a deviation is not positive", () => {
  assertThrows(
    () => normalisationTable({ mean: [0, 0, 0], std: [1, 0, 1] }),
    RangeError,
    "Cannot normalise images",
  );
  assertThrows(() => normalisationTable({ mean: [0], std: [1] }), RangeError);
});

Deno.test("augmentImage() equals the naive augmentation when choices reach every border", () => {
  const squares = [
    undefined,
    { row: 0, column: 0 },
    { row: 31, column: 31 },
    { row: 3, column: 28 },
    { row: 16, column: 16 },
  ];
  for (const top of [0, 3, 4, 8]) {
    for (const left of [0, 4, 7, 8]) {
      for (const flip of [false, true]) {
        const cutout = squares[(top + left) % squares.length];
        const choice = { top, left, flip, ...(cutout && { cutout }) };
        const output = new Float32Array(IMAGE_VALUES + 2).fill(99);
        augmentImage(split.images, output, { index: 1, target: 1, table, choice, cutout: 16 });
        assertClose(output.subarray(1, -1), naive(1, choice, 16));
        assertEquals([output[0], output.at(-1)], [99, 99]);
      }
    }
  }
});

Deno.test("augmentImage() cuts nothing when the side is 1, and two pixels less one when odd", () => {
  const choice = { top: 4, left: 4, flip: false, cutout: { row: 10, column: 10 } };
  for (const cutout of [1, 5]) {
    const output = new Float32Array(IMAGE_VALUES);
    augmentImage(split.images, output, { index: 0, target: 0, table, choice, cutout });
    assertClose(output, naive(0, choice, cutout));
  }
});

Deno.test("augmentBatch() only normalises when no stream is given", () => {
  const output = new Float32Array(2 * IMAGE_VALUES);
  augmentBatch(split.images, output, { table, indices: [2, 0] });
  const centred = { top: 4, left: 4, flip: false };
  assertClose(output.subarray(0, IMAGE_VALUES), naive(2, centred, 0));
  assertClose(output.subarray(IMAGE_VALUES), naive(0, centred, 0));
});

Deno.test("augmentBatch() draws by position when the batch is cut elsewhere", () => {
  const random = new CounterRandom(5), options = { table, random, cutout: 16 };
  const whole = new Float32Array(3 * IMAGE_VALUES), tail = new Float32Array(IMAGE_VALUES);
  augmentBatch(split.images, whole, { ...options, indices: [0, 1, 2], position: 7 });
  augmentBatch(split.images, tail, { ...options, indices: [2], position: 9 });
  assertEquals(whole.subarray(2 * IMAGE_VALUES), tail);
  const choice = drawAugmentation(random.fork(9), { cutout: 16 });
  assertClose(tail, naive(2, choice, 16));
});

Deno.test("augmentBatch() throws when sizes, indices or the cutout are wrong", () => {
  const output = new Float32Array(IMAGE_VALUES);
  assertThrows(() => augmentBatch(split.images, output, { table, indices: [0, 1] }), RangeError);
  assertThrows(
    () => augmentBatch(split.images, output, { table, indices: [3] }),
    RangeError,
    "Cannot augment image 3: the split has 3",
  );
  assertThrows(
    () => augmentBatch(split.images, output, { table, indices: [0], cutout: -1 }),
    RangeError,
    "got -1",
  );
});

Deno.test("drawAugmentation() draws uniform crops, flips and centres", () => {
  const draws = 18_000, random = new CounterRandom(11);
  const tops = new Array(9).fill(0), lefts = new Array(9).fill(0);
  const rows = new Array(IMAGE_SIZE).fill(0), columns = new Array(IMAGE_SIZE).fill(0);
  let flips = 0;
  for (let i = 0; i < draws; i++) {
    const choice = drawAugmentation(random.fork(i), { cutout: 16 });
    assert(choice.cutout);
    tops[choice.top]++;
    lefts[choice.left]++;
    rows[choice.cutout.row]++;
    columns[choice.cutout.column]++;
    if (choice.flip) flips++;
  }
  for (const counts of [tops, lefts, rows, columns]) {
    const expected = draws / counts.length;
    for (const count of counts) assertAlmostEquals(count, expected, 5 * Math.sqrt(expected));
  }
  assertAlmostEquals(flips / draws, 0.5, 0.02);
});

Deno.test("augmentBatch() leaves images in place without padding and mirrors all of them at 1", () => {
  const output = new Float32Array(3072), plain = new Float32Array(3072);
  const random = new CounterRandom(3);
  augmentBatch(split.images, plain, { table, indices: [1] });
  augmentBatch(split.images, output, {
    table,
    indices: [1],
    random,
    cropPadding: 0,
    flipProbability: 0,
  });
  assertEquals(output, plain);
  augmentBatch(split.images, output, {
    table,
    indices: [1],
    random,
    cropPadding: 0,
    flipProbability: 1,
  });
  for (let row = 0; row < 32; row++) {
    for (let column = 0; column < 32; column++) {
      const at = 3 * (32 * row + column), mirrored = 3 * (32 * row + 31 - column);
      assertEquals([...output.subarray(at, at + 3)], [...plain.subarray(mirrored, mirrored + 3)]);
    }
  }
});
