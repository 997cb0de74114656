/**
 * The crop of torchvision's RandomResizedCrop: a random part of the image, of random area and shape
 * (Szegedy et al., "Going deeper with convolutions", 2015, section 6).
 */

import type { CounterRandom } from "../backends/random.ts";
import type { Box } from "./resample.ts";

/** What {@linkcode drawCrop} draws from. */
export interface CropRange {
  /** Least and greatest part of the image's area. */
  area: readonly [number, number];
  /** Least and greatest width divided by height; its logarithm is uniform. */
  ratio: readonly [number, number];
}

const TRIES = 10;

/** Rounds to the nearest integer, halves to the even one, as Python's `round`. */
export function roundHalfEven(value: number): number {
  const down = Math.floor(value), rest = value - down;
  if (rest !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}

function uniform(random: CounterRandom, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}

/**
 * Draws a crop: ten times an area and a ratio, until they fit, then where it lies, row first; if none fits,
 * the largest part of the image about its centre whose ratio is allowed.
 */
export function drawCrop(
  random: CounterRandom,
  { area, ratio }: CropRange,
  { width, height }: { width: number; height: number },
): Box {
  const [narrowest, widest] = ratio;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const pixels = width * height * uniform(random, ...area);
    const shape = Math.exp(uniform(random, Math.log(narrowest), Math.log(widest)));
    const columns = roundHalfEven(Math.sqrt(pixels * shape));
    const rows = roundHalfEven(Math.sqrt(pixels / shape));
    if (columns > 0 && columns <= width && rows > 0 && rows <= height) {
      const top = random.integer(height - rows + 1), left = random.integer(width - columns + 1);
      return { left, top, width: columns, height: rows };
    }
  }
  const columns = width / height > widest ? roundHalfEven(height * widest) : width;
  const rows = width / height < narrowest ? roundHalfEven(width / narrowest) : height;
  return {
    left: Math.floor((width - columns) / 2),
    top: Math.floor((height - rows) / 2),
    width: columns,
    height: rows,
  };
}
