/**
 * How a batch is split. The number of parts depends on the batch alone, and partial sums are added in
 * the order of the parts, so that results do not depend on the number of threads.
 */

/** Parts of a large batch: enough for many cores, few enough that adding them up stays cheap. */
export const PARTS = 16;

/** Parts for a batch of images. */
export function partsOf(images: number): number {
  return Math.min(images, PARTS);
}
