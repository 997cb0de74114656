/**
 * torchvision's ColorJitter on 8-bit pixels: brightness, contrast, saturation and hue in random order, each
 * as PIL computes it, to the last bit.
 *
 * The first three blend the image with another, `other + factor (image - other)` in float32, clipped and cut
 * to an integer: black, the image's mean grey, and its grey version (Pillow's `ImageEnhance` and
 * `src/libImaging/Blend.c`). Hue turns the H of HSV by `factor` of a full turn (`Convert.c`, `rgb2hsv_row`
 * and `hsv2rgb`; there H has 8 bits). Grey is (19595 R + 38470 G + 7471 B + 2^15) / 2^16.
 */

import type { CounterRandom } from "../backends/random.ts";

/** Largest changes; 0 leaves one out. */
export interface JitterStrength {
  /** Factors are drawn from 1 - brightness, at least 0, to 1 + brightness. */
  brightness: number;
  /** As brightness. */
  contrast: number;
  /** As brightness. */
  saturation: number;
  /** Turns are drawn from -hue to hue; at most 1/2. */
  hue: number;
}

/** One change of an image's colours. */
export interface JitterStep {
  /** What is changed. */
  kind: keyof JitterStrength;
  /** A factor, or with `hue` the part of a full turn. */
  factor: number;
}

const KINDS = ["brightness", "contrast", "saturation", "hue"] as const;

/**
 * Draws the order of the changes, then their factors: brightness, contrast, saturation, hue.
 *
 * @returns The changes in their order, without those of strength 0.
 */
export function drawJitter(random: CounterRandom, strength: JitterStrength): JitterStep[] {
  const order = random.permutation(KINDS.length);
  const steps = KINDS.map((kind): JitterStep => {
    const most = strength[kind];
    const low = kind === "hue" ? -most : Math.max(0, 1 - most);
    const high = kind === "hue" ? most : 1 + most;
    return { kind, factor: low + (high - low) * random.uniform() };
  });
  return [...order].map((index) => steps[index]).filter(({ kind }) => strength[kind] > 0);
}

/** Changes the colours of an image in place. @param pixels `[..., 3]`, red first. */
export function jitterColours(pixels: Uint8Array, steps: readonly JitterStep[]): void {
  for (const { kind, factor } of steps) {
    if (kind === "brightness") mapValues(pixels, blendedValues(0, factor));
    else if (kind === "contrast") mapValues(pixels, blendedValues(meanGrey(pixels), factor));
    else if (kind === "saturation") saturate(pixels, factor);
    else turnHue(pixels, factor);
  }
}

function grey(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
}

/** The mean grey of an image, rounded. */
function meanGrey(pixels: Uint8Array): number {
  let total = 0;
  for (let at = 0; at < pixels.length; at += 3) {
    total += grey(pixels[at], pixels[at + 1], pixels[at + 2]);
  }
  return Math.floor(total / (pixels.length / 3) + 0.5);
}

/** `factor (image - other)` in float32 at index `255 + image - other`. */
function scaledDifferences(factor: number): Float32Array {
  const factor32 = Math.fround(factor);
  return Float32Array.from({ length: 511 }, (_, index) => factor32 * (index - 255));
}

/** A float32 sum clipped to 0..255 and cut to an integer. */
function clip(sum: number): number {
  const value = Math.fround(sum);
  return value <= 0 ? 0 : value >= 255 ? 255 : value | 0;
}

/** What each value becomes when blended with a constant. */
function blendedValues(other: number, factor: number): Uint8Array {
  const differences = scaledDifferences(factor);
  return Uint8Array.from(
    { length: 256 },
    (_, value) => clip(other + differences[255 + value - other]),
  );
}

function mapValues(pixels: Uint8Array, values: Uint8Array): void {
  for (let at = 0; at < pixels.length; at++) pixels[at] = values[pixels[at]];
}

function saturate(pixels: Uint8Array, factor: number): void {
  const differences = scaledDifferences(factor);
  for (let at = 0; at < pixels.length; at += 3) {
    const other = grey(pixels[at], pixels[at + 1], pixels[at + 2]), base = 255 - other;
    pixels[at] = clip(other + differences[base + pixels[at]]);
    pixels[at + 1] = clip(other + differences[base + pixels[at + 1]]);
    pixels[at + 2] = clip(other + differences[base + pixels[at + 2]]);
  }
}

/** `i / n` in float32 at index `256 n + i`: the quotients of {@linkcode turnHue}, to spare it divisions. */
const quotients = new Float32Array(256 * 256);
for (let n = 1; n < 256; n++) {
  for (let i = 0; i <= n; i++) quotients[256 * n + i] = i / n;
}

/** H of 0..255 in sixths of a turn: the whole ones, and what is left over in float32. */
const sextants = Uint8Array.from({ length: 256 }, (_, hue) => Math.floor(hue * 6 / 255));
const remainders = Float32Array.from(sextants, (sextant, hue) => hue * 6 / 255 - sextant);

/** H of a colour that is no grey, 0..255, as PIL's HSV has it. */
function hueOf(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  const range = 256 * (most - Math.min(red, green, blue));
  const redPart = quotients[range + most - red];
  const greenPart = quotients[range + most - green];
  const bluePart = quotients[range + most - blue];
  const sixths = red === most
    ? bluePart - greenPart
    : green === most
    ? 2 + redPart - bluePart
    : 4 + greenPart - redPart;
  const turn = Math.fround(sixths) / 6 + 1;
  return (Math.fround(turn >= 1 ? turn - 1 : turn) * 255) | 0;
}

function turnHue(pixels: Uint8Array, factor: number): void {
  const shift = Math.trunc(factor * 255);
  for (let at = 0; at < pixels.length; at += 3) {
    const red = pixels[at], green = pixels[at + 1], blue = pixels[at + 2];
    const most = Math.max(red, green, blue), least = Math.min(red, green, blue);
    if (most === least) continue;
    const saturation = (quotients[256 * most + most - least] * 255) | 0;
    const hue = (hueOf(red, green, blue) + shift) & 255;
    writeColour(pixels, at, { hue, saturation, value: most });
  }
}

/** Writes the colour of H, S and V, 0..255 each, as PIL converts it; halves are rounded up. */
function writeColour(
  pixels: Uint8Array,
  at: number,
  { hue, saturation, value }: { hue: number; saturation: number; value: number },
): void {
  const strength = Math.fround(saturation / 255), rest = remainders[hue];
  const low = (value * (1 - strength) + 0.5) | 0;
  const falling = (value * (1 - Math.fround(strength * rest)) + 0.5) | 0;
  const rising = (value * (1 - strength * (1 - rest)) + 0.5) | 0;
  let red = value, green = value, blue = value;
  switch (sextants[hue] % 6) {
    case 0:
      green = rising;
      blue = low;
      break;
    case 1:
      red = falling;
      blue = low;
      break;
    case 2:
      red = low;
      blue = rising;
      break;
    case 3:
      red = low;
      green = falling;
      break;
    case 4:
      red = rising;
      green = low;
      break;
    default:
      green = low;
      blue = falling;
  }
  pixels[at] = red;
  pixels[at + 1] = green;
  pixels[at + 2] = blue;
}
