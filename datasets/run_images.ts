/**
 * The images of a run: the sources of its batches, and `unreadable.txt` in its folder, which lists what
 * could not be read.
 *
 * Invariant: a run that continues knows what it could not read before, so that the same images take the
 * same places.
 */

import { type FolderConfig, resizeOf } from "../nn/folder_config.ts";
import { readIfThere, replaceFile } from "../nn/run_files.ts";
import type { AugmentationConfig } from "../nn/training_config.ts";
import { BatchSources, type FolderOptions } from "./batch_sources.ts";
import { type Dataset, DatasetError } from "./types.ts";
import { parseUnreadable, UnreadableImages, unreadableText } from "./unreadable.ts";

/** Name of the list in the run folder. */
export const UNREADABLE_FILE = "unreadable.txt";

/** What the images of a run follow from. */
export interface RunImagesOptions {
  /** The data set. */
  readonly data: Dataset;
  /** The part of its config that says how a folder's images are changed. */
  readonly config: {
    readonly folder: FolderConfig | null;
    readonly augmentation: Pick<AugmentationConfig, "flipProbability">;
  };
  /** Workers that decode; absent for the pool's own number. */
  readonly workers?: number;
  /** Share of a split that may be unreadable. */
  readonly maxUnreadable: number;
  /** The run folder. */
  readonly path: string;
}

/** Sources, and the list. Dispose to end the workers. */
export class RunImages implements Disposable {
  /** Opens the batches. */
  readonly sources: BatchSources;
  readonly #unreadable: UnreadableImages;
  readonly #path: string;
  #written: number;

  /**
   * Reads the list of a run that continues; starts nothing yet.
   *
   * @throws {DatasetError} If it lists more than the share allows.
   */
  constructor({ data, config, workers, maxUnreadable, path }: RunImagesOptions) {
    this.#path = `${path}/${UNREADABLE_FILE}`;
    this.#unreadable = new UnreadableImages({ share: maxUnreadable });
    const known = parseUnreadable(readIfThere(this.#path) ?? "");
    this.#written = known.length;
    try {
      for (const image of known) this.#unreadable.add(image, data[image.part].count);
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error;
      throw new DatasetError(
        `${error.message}; repair them and remove ${this.#path}, or allow more with --max-unreadable`,
      );
    }
    const folder = config.folder ? transformsOf(config.folder, config.augmentation) : {};
    this.sources = new BatchSources(data, { ...folder, workers, unreadable: this.#unreadable });
  }

  /** How many images could not be read so far. */
  get unreadable(): number {
    return this.#unreadable.images.length;
  }

  /** Writes the list, if there are new ones. */
  save(): void {
    const { images } = this.#unreadable;
    if (images.length === this.#written) return;
    replaceFile(this.#path, unreadableText(images));
    this.#written = images.length;
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    this.sources[Symbol.dispose]();
  }
}

/** The transforms of a folder's images. */
export function transformsOf(
  folder: FolderConfig,
  { flipProbability }: Pick<AugmentationConfig, "flipProbability">,
): Required<Pick<FolderOptions, "train" | "test">> {
  const { imageSize: size, cropArea: area, cropRatio: ratio } = folder;
  const [brightness, contrast, saturation, hue] = folder.jitter;
  const jitter = { brightness, contrast, saturation, hue };
  return {
    train: { size, area, ratio, flipProbability, jitter },
    test: { resize: resizeOf(folder), size },
  };
}
