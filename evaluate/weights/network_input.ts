/** How a network's input is made of an image, as the metadata of its weights tell it. */

/** The metadata's key; the value is JSON of a {@linkcode NetworkInput}. */
export const INPUT_KEY = "input";

/** What images become. */
export interface NetworkInput {
  /** Height and width in pixels. */
  readonly size: number;
  /** Shorter side before the centre is cut out; null where images have the size already. */
  readonly resize: number | null;
  /** Subtracted from red, green, blue in 0..1. */
  readonly mean: readonly number[];
  /** What they are then divided by. */
  readonly std: readonly number[];
}
