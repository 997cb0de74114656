/**
 * What images of any size go through before a network sees them: torchvision's transforms, to the last bit.
 *
 * In training RandomResizedCrop, RandomHorizontalFlip and ColorJitter; in a test Resize and CenterCrop.
 * REFERENCE: the ImageNet network's of P-DARTS (arXiv 1904.12760). Drawing is apart from transforming, so
 * that a choice can be made in one place, sent to any worker as plain JSON, and given in a test.
 *
 * Invariant: a choice depends on its stream, the transform and the image's size alone.
 */

import type { CounterRandom } from "../backends/random.ts";
import {
  drawJitter,
  jitterColours,
  type JitterStep,
  type JitterStrength,
} from "./colour_jitter.ts";
import type { RgbImage } from "./decode.ts";
import { type CropRange, drawCrop, roundHalfEven } from "./random_crop.ts";
import { type Box, resample } from "./resample.ts";

/** What training images go through. */
export interface TrainTransform extends CropRange {
  /** Height and width of the result. */
  size: number;
  /** Probability of a mirrored image. */
  flipProbability: number;
  /** Largest changes of colours. */
  jitter: JitterStrength;
}

/** What test images go through. */
export interface TestTransform {
  /** Length of the image's shorter side, once resized. */
  resize: number;
  /** Height and width of the centre that is cut out; at most `resize`. */
  size: number;
}

/** The random choices for one image; plain JSON. */
export interface TransformChoice {
  /** The part of the image that is resized. */
  crop: Box;
  /** Whether it is mirrored left to right. */
  flip: boolean;
  /** Changes of its colours, in this order. */
  jitter: readonly JitterStep[];
}

/** @throws {RangeError} If a size, area, ratio, probability or strength is out of its range. */
export function checkTrainTransform(
  { size, area, ratio, flipProbability, jitter }: TrainTransform,
): void {
  checkSize("size", size);
  if (!(area[0] > 0 && area[0] <= area[1] && area[1] <= 1)) {
    throw new RangeError(`Cannot crop images: want areas 0 < A <= B <= 1, got ${area}`);
  }
  if (!(ratio[0] > 0 && ratio[0] <= ratio[1] && ratio[1] < Infinity)) {
    throw new RangeError(`Cannot crop images: want ratios 0 < A <= B, got ${ratio}`);
  }
  if (!(flipProbability >= 0 && flipProbability <= 1)) {
    throw new RangeError(
      `Cannot flip images: want a probability from 0 to 1, got ${flipProbability}`,
    );
  }
  for (const [kind, strength] of Object.entries(jitter)) {
    const most = kind === "hue" ? 0.5 : Infinity;
    if (!(strength >= 0 && strength <= most && strength < Infinity)) {
      const range = kind === "hue" ? "from 0 to 0.5" : "of 0 or more";
      throw new RangeError(`Cannot jitter colours: want a ${kind} ${range}, got ${strength}`);
    }
  }
}

/** @throws {RangeError} If a size is no positive integer, or the centre larger than what it is cut from. */
export function checkTestTransform({ resize, size }: TestTransform): void {
  checkSize("resize", resize);
  checkSize("size", size);
  if (size > resize) {
    throw new RangeError(`Cannot crop images: want a size of at most ${resize}, got ${size}`);
  }
}

function checkSize(what: string, pixels: number): void {
  if (!Number.isSafeInteger(pixels) || pixels < 1) {
    throw new RangeError(`Cannot resize images: want a ${what} of 1 or more, got ${pixels}`);
  }
}

/**
 * Draws the choices for one image: crop, flip, then colours.
 *
 * @param random A stream of the image's own.
 * @param transform What is drawn from.
 * @param image The image's size.
 * @throws {RangeError} If the transform is out of its ranges.
 */
export function drawTransform(
  random: CounterRandom,
  transform: TrainTransform,
  image: { width: number; height: number },
): TransformChoice {
  checkTrainTransform(transform);
  const crop = drawCrop(random, transform, image);
  const flip = random.uniform() < transform.flipProbability;
  return { crop, flip, jitter: drawJitter(random, transform.jitter) };
}

/**
 * Transforms a training image with given choices.
 *
 * @returns `[size, size, 3]` uint8, new.
 */
export function trainImage(
  image: RgbImage,
  { size }: Pick<TrainTransform, "size">,
  { crop, flip, jitter }: TransformChoice,
): Uint8Array<ArrayBuffer> {
  const pixels = resample(image, { box: crop, width: size, height: size });
  if (flip) mirror(pixels, size);
  jitterColours(pixels, jitter);
  return pixels;
}

/** Mirrors an image left to right, in place. @param pixels `[size, size, 3]`. */
function mirror(pixels: Uint8Array, size: number): void {
  for (let line = 0; line < pixels.length; line += 3 * size) {
    for (let left = line, right = line + 3 * (size - 1); left < right; left += 3, right -= 3) {
      for (let channel = 0; channel < 3; channel++) {
        const value = pixels[left + channel];
        pixels[left + channel] = pixels[right + channel];
        pixels[right + channel] = value;
      }
    }
  }
}

/**
 * Transforms a test image: its shorter side becomes `resize`, the longer one keeps the shape, rounded down,
 * and the centre is cut out.
 *
 * @returns `[size, size, 3]` uint8, new.
 * @throws {RangeError} If the transform is out of its ranges.
 */
export function testImage(image: RgbImage, transform: TestTransform): Uint8Array<ArrayBuffer> {
  checkTestTransform(transform);
  const { resize, size } = transform, short = Math.min(image.width, image.height);
  const width = Math.trunc(resize * image.width / short);
  const height = Math.trunc(resize * image.height / short);
  const left = roundHalfEven((width - size) / 2), top = roundHalfEven((height - size) / 2);
  const box = { left: 0, top: 0, width: image.width, height: image.height };
  return resample(image, { box, width, height, window: { left, top, width: size, height: size } });
}
