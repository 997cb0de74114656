/**
 * What batches are to whoever trains on them, wherever the images come from.
 *
 * Invariants of every source: an epoch's order and augmentation depend on (seed, stream, epoch) alone, so
 * that a position is enough to continue; the last partial batch is used. Ownership: every batch has arrays
 * of its own, which the receiver may keep, change or transfer.
 */

/** Where an iteration stands: the epoch, and the number of its batches already taken. */
export interface LoaderPosition {
  /** Epoch, from 0. */
  epoch: number;
  /** Batches of it already taken. */
  batch: number;
}

/** Images ready for a network, and their labels. */
export interface Batch {
  /** `[size, imageSize, imageSize, 3]` float32, normalised. */
  images: Float32Array<ArrayBuffer>;
  /** `[size]` int32, class indices. */
  labels: Int32Array<ArrayBuffer>;
  /**
   * Number of images: the batch size, or less in the last batch of an epoch; in a test also where images
   * could not be read, down to 0.
   */
  size: number;
  /** Height and width of the images in pixels. */
  imageSize: number;
}

/** An endless iteration that begins the next epoch, in a fresh order, when one ends. */
export interface BatchIteration {
  /** The next batch. */
  next(): Batch | Promise<Batch>;
  /** The position to save. */
  position(): LoaderPosition;
}

/** Makes the batches of a split, or of a part of it. */
export interface BatchSource {
  /** Images per batch, but for the last. */
  readonly batchSize: number;
  /** Images per epoch. */
  readonly count: number;
  /** Batches per epoch, the last partial one counted. */
  readonly batchesPerEpoch: number;
  /** Height and width of the images in pixels. */
  readonly imageSize: number;

  /**
   * The batches of an epoch.
   *
   * @param epoch Names the order and the augmentation.
   * @param start Number of batches to leave out at the beginning; default 0.
   */
  epoch(epoch: number, start?: number): Iterable<Batch> | AsyncIterable<Batch>;

  /** An endless iteration from a position on; by default from the beginning. */
  cycle(position?: LoaderPosition): BatchIteration;
}
