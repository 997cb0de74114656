/**
 * The images that could not be read: each counted once by name, and too many of them an error.
 *
 * Invariant: an image counts when the batch that misses it is handed out, not when a worker met it, so that
 * a run stops at the same batch with any number of workers.
 */

import { listed } from "./class_folders.ts";
import { DatasetError } from "./types.ts";

/** Largest share of a split's images that may be unreadable, unless another is asked for. */
export const MAX_UNREADABLE = 0.01;

/** Which split of a data set. */
export type Part = "train" | "test";

/** An image that could not be read. */
export interface UnreadableImage {
  /** Its split. */
  part: Part;
  /** Its file. */
  path: string;
  /** Why, in a few words. */
  reason: string;
}

/** The unreadable images of a run. */
export class UnreadableImages {
  readonly #share: number;
  readonly #images = new Map<string, UnreadableImage>();

  /**
   * Begins a count, or continues one.
   *
   * @param options.share Largest share of a split, in [0, 1); default 0.01.
   * @param options.known Those that an earlier part of the run has counted.
   * @throws {RangeError} If the share is no such number.
   */
  constructor(options: { share?: number; known?: Iterable<UnreadableImage> } = {}) {
    const { share = MAX_UNREADABLE, known = [] } = options;
    if (!(share >= 0 && share < 1)) {
      throw new RangeError(
        `Cannot allow a share of unreadable images of ${share}: want 0 to below 1`,
      );
    }
    this.#share = share;
    for (const image of known) this.#images.set(image.path, image);
  }

  /** All so far, in the order they were met. */
  get images(): UnreadableImage[] {
    return [...this.#images.values()];
  }

  /** Why an image is known to be unreadable; undefined where it is not. */
  reasonOf(path: string): string | undefined {
    return this.#images.get(path)?.reason;
  }

  /** Unreadable images that a split of `count` may have. */
  limit(count: number): number {
    return Math.floor(this.#share * count);
  }

  /**
   * Counts an image, if it is a new one.
   *
   * @param count Images of its split.
   * @throws {DatasetError} If the split has more unreadable images than the share allows.
   */
  add(image: UnreadableImage, count: number): void {
    if (this.#images.has(image.path)) return;
    this.#images.set(image.path, image);
    const failed = this.images.filter(({ part }) => part === image.part);
    if (failed.length <= this.limit(count)) return;
    const names = failed.map(({ path, reason }) => `${path} (${reason})`);
    throw new DatasetError(
      `Cannot go on: ${failed.length} of the ${count} ${image.part} images cannot be read, ` +
        `more than the share of ${this.#share}: ${listed(names)}`,
    );
  }
}

/** The images as a text of one line each. */
export function unreadableText(images: readonly UnreadableImage[]): string {
  return images.map(({ part, path, reason }) => `${part}\t${JSON.stringify(path)}\t${reason}\n`)
    .join("");
}

/** The images of such a text; lines that are not whole are left out. */
export function parseUnreadable(text: string): UnreadableImage[] {
  return Array.from(text.matchAll(/^(train|test)\t(".*")\t(.*)\n/gm), ([, part, path, reason]) => ({
    part: part as Part,
    path: JSON.parse(path),
    reason,
  }));
}
