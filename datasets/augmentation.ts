/**
 * Turns uint8 images into network input: the CIFAR training augmentation and the test transform.
 *
 * An output pixel is (value / 255 - mean) / std in float32, looked up in a table of 256 values per
 * channel. In training, in this order: zero padding of 4 by default (before normalising, so the border is the
 * normalised black), a random crop of the original size, a horizontal flip with probability 1/2, and
 * cutout (after normalising, so the square is 0). REFERENCE: "Evaluation" of P-DARTS (arXiv 1904.12760);
 * cutout is DeVries and Taylor, arXiv 1708.04552.
 *
 * Invariant: what happens to an image depends on the stream of its position alone, not on the batch size,
 * the thread or what was drawn before.
 */

import type { CounterRandom } from "../backends/random.ts";
import type { Statistics } from "./types.ts";

/** Height and width of a CIFAR image in pixels. */
export const IMAGE_SIZE = 32;
/** Values in a CIFAR image. */
export const IMAGE_VALUES = IMAGE_SIZE * IMAGE_SIZE * 3;
/** Default zero padding around an image before its random crop, in pixels. */
export const CROP_PADDING = 4;
/** Default probability of a mirrored image. */
export const FLIP_PROBABILITY = 0.5;

const VALUES_PER_CHANNEL = 256;

/** What training images go through. */
export interface AugmentationStrength {
  /** Zero padding around an image before its random crop, in pixels; default 4. */
  cropPadding?: number;
  /** Probability of a mirrored image; default 1/2. */
  flipProbability?: number;
  /** Side of the cutout square in pixels; 0, the default, for none. */
  cutout?: number;
}

/** The random choices for one image. */
export interface AugmentationChoice {
  /** First row of the crop in the padded image, 0 to twice the padding. */
  top: number;
  /** First column of the crop in the padded image, 0 to twice the padding. */
  left: number;
  /** Whether the crop is mirrored left to right. */
  flip: boolean;
  /** Centre of the cutout square, anywhere in the image. */
  cutout?: { row: number; column: number };
}

/** How {@linkcode augmentBatch} transforms images. */
export interface AugmentationOptions extends AugmentationStrength {
  /** From {@linkcode normalisationTable}. */
  table: Float32Array;
  /** Which images, as indices into the split. */
  indices: ArrayLike<number>;
  /** The stream of the epoch; without it images are normalised only, which is the test transform. */
  random?: CounterRandom;
  /** Position of the first image in the epoch's order: image `i` draws from `random.fork(position + i)`. */
  position?: number;
}

/**
 * The normalised value of every uint8 value: entry `256 c + v` is (v / 255 - mean[c]) / std[c] in float32.
 *
 * @returns `[3 * 256]` float32.
 * @throws {RangeError} If there are not three means and three positive deviations.
 */
export function normalisationTable({ mean, std }: Statistics): Float32Array<ArrayBuffer> {
  if (mean.length !== 3 || std.length !== 3 || !std.every((value) => value > 0)) {
    throw new RangeError(
      `Cannot normalise images: want 3 means and 3 positive deviations, got [${mean}] and [${std}]`,
    );
  }
  const table = new Float32Array(3 * VALUES_PER_CHANNEL);
  for (let channel = 0; channel < 3; channel++) {
    const centre = Math.fround(mean[channel]), scale = Math.fround(std[channel]);
    for (let value = 0; value < VALUES_PER_CHANNEL; value++) {
      const offset = Math.fround(Math.fround(value / 255) - centre);
      table[channel * VALUES_PER_CHANNEL + value] = offset / scale;
    }
  }
  return table;
}

/**
 * Draws the choices for one image: crop row, crop column, flip, then cutout row and column.
 *
 * @param random A stream of the image's own.
 * @param strength Without a cutout no centre is drawn.
 */
export function drawAugmentation(
  random: CounterRandom,
  strength: AugmentationStrength = {},
): AugmentationChoice {
  const { cropPadding = CROP_PADDING, flipProbability = FLIP_PROBABILITY, cutout = 0 } = strength;
  const top = random.integer(2 * cropPadding + 1);
  const left = random.integer(2 * cropPadding + 1);
  const flip = random.uniform() < flipProbability;
  if (cutout === 0) return { top, left, flip };
  const row = random.integer(IMAGE_SIZE), column = random.integer(IMAGE_SIZE);
  return { top, left, flip, cutout: { row, column } };
}

/** One image of a batch: where to read, where to write, and its choices. */
interface ImageTask {
  source: number;
  target: number;
  table: Float32Array;
}

/** Normalises an image as it is. */
function copyImage(images: Uint8Array, output: Float32Array, task: ImageTask): void {
  const { source, target, table } = task;
  for (let at = 0; at < IMAGE_VALUES; at += 3) {
    output[target + at] = table[images[source + at]];
    output[target + at + 1] = table[256 + images[source + at + 1]];
    output[target + at + 2] = table[512 + images[source + at + 2]];
  }
}

/** Crops, flips and normalises an image. */
function cropImage(
  images: Uint8Array,
  output: Float32Array,
  task: ImageTask & AugmentationChoice & { cropPadding: number },
): void {
  const { source, target, table, flip, cropPadding } = task;
  const down = task.top - cropPadding, right = task.left - cropPadding;
  const black0 = table[0], black1 = table[256], black2 = table[512];
  const step = flip ? -3 : 3;
  for (let row = 0; row < IMAGE_SIZE; row++) {
    let to = target + row * IMAGE_SIZE * 3 + (flip ? (IMAGE_SIZE - 1) * 3 : 0);
    const fromRow = row + down;
    const inside = fromRow >= 0 && fromRow < IMAGE_SIZE;
    const line = source + fromRow * IMAGE_SIZE * 3;
    for (let column = right; column < right + IMAGE_SIZE; column++, to += step) {
      if (inside && column >= 0 && column < IMAGE_SIZE) {
        const from = line + column * 3;
        output[to] = table[images[from]];
        output[to + 1] = table[256 + images[from + 1]];
        output[to + 2] = table[512 + images[from + 2]];
      } else {
        output[to] = black0;
        output[to + 1] = black1;
        output[to + 2] = black2;
      }
    }
  }
}

/** Zeroes the part of the square that lies in the image; half its side reaches up, half down. */
function cutSquare(
  output: Float32Array,
  target: number,
  square: { row: number; column: number; length: number },
): void {
  const half = Math.floor(square.length / 2);
  const first = Math.max(0, square.column - half);
  const last = Math.min(IMAGE_SIZE, square.column + half);
  const bottom = Math.min(IMAGE_SIZE, square.row + half);
  for (let row = Math.max(0, square.row - half); row < bottom; row++) {
    const line = target + row * IMAGE_SIZE * 3;
    output.fill(0, line + first * 3, line + last * 3);
  }
}

/**
 * Writes one augmented image with given choices.
 *
 * @param images `[N, 32, 32, 3]` uint8.
 * @param output Receives 3072 float32 values from `target` on.
 * @param options The image's index, the offset in `output`, the table, the choices and what they were drawn for.
 */
export function augmentImage(
  images: Uint8Array,
  output: Float32Array,
  options: {
    index: number;
    target: number;
    table: Float32Array;
    choice: AugmentationChoice;
  } & AugmentationStrength,
): void {
  const { index, target, table, choice, cropPadding = CROP_PADDING, cutout = 0 } = options;
  const source = index * IMAGE_VALUES;
  cropImage(images, output, { source, target, table, cropPadding, ...choice });
  if (choice.cutout) cutSquare(output, target, { ...choice.cutout, length: cutout });
}

/**
 * Writes a batch of images: augmented if a random stream is given, else normalised only.
 *
 * @param images `[N, 32, 32, 3]` uint8.
 * @param output `[B, 32, 32, 3]` float32, the caller's, B the number of indices; every value is written.
 * @param options Which images and how.
 * @throws {RangeError} If `output` has another size, an index is not in the split, the padding or the
 *   cutout is not an integer from 0 on, or the flip's is no probability.
 */
export function augmentBatch(
  images: Uint8Array,
  output: Float32Array,
  options: AugmentationOptions,
): void {
  const { table, indices, random, position = 0, cropPadding, flipProbability, cutout } = options;
  const strength = { cropPadding, flipProbability, cutout };
  if (output.length !== indices.length * IMAGE_VALUES) {
    throw new RangeError(
      `Cannot augment ${indices.length} images: want ${
        indices.length * IMAGE_VALUES
      } output values, got ${output.length}`,
    );
  }
  checkStrength(strength);
  const count = images.length / IMAGE_VALUES;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i], target = i * IMAGE_VALUES;
    if (!(index >= 0 && index < count)) {
      throw new RangeError(`Cannot augment image ${index}: the split has ${count}`);
    }
    if (random === undefined) {
      copyImage(images, output, { source: index * IMAGE_VALUES, target, table });
    } else {
      const choice = drawAugmentation(random.fork(position + i), strength);
      augmentImage(images, output, { index, target, table, choice, ...strength });
    }
  }
}

/** @throws {RangeError} If a strength is out of its range. */
export function checkStrength(
  { cropPadding = CROP_PADDING, flipProbability = FLIP_PROBABILITY, cutout = 0 }:
    AugmentationStrength,
): void {
  for (const [what, pixels] of [["padding", cropPadding], ["cutout", cutout]] as const) {
    if (!Number.isSafeInteger(pixels) || pixels < 0) {
      throw new RangeError(
        `Cannot augment images: want a ${what} of 0 or more pixels, got ${pixels}`,
      );
    }
  }
  if (!(flipProbability >= 0 && flipProbability <= 1)) {
    throw new RangeError(
      `Cannot augment images: want a flip probability from 0 to 1, got ${flipProbability}`,
    );
  }
}
