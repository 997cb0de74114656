/**
 * Turns the data files of the CIFAR archives, binary and python, into a split of NHWC images.
 *
 * Both store an image as three planes of 32x32, red first. A binary record is the label bytes and then
 * 3072 pixels, without a header; a python file is a pickled dictionary. Source: "Dataset layout" on the
 * authors' page.
 */

import { IMAGE_VALUES } from "./augmentation.ts";
import type { Archive, CifarTable, DataFile } from "./cifar_tables.ts";
import { PickleError } from "../nn/pickle_dialect.ts";
import { readPickle } from "./pickle.ts";
import { DatasetError, type Split } from "./types.ts";

const PLANE = IMAGE_VALUES / 3;

/** The bytes of one data file and the name to give in messages. */
export interface FileContent {
  bytes: Uint8Array;
  /** Path of the file, or of its archive and it. */
  path: string;
}

/** Collects images until a split is full. */
class SplitBuilder {
  readonly #split: Split & { labels: Uint8Array<ArrayBuffer> };
  readonly #table: CifarTable;
  #next = 0;

  constructor(table: CifarTable, count: number) {
    this.#table = table;
    this.#split = {
      images: new Uint8Array(count * IMAGE_VALUES),
      labels: new Uint8Array(count),
      count,
    };
  }

  /** Adds the image whose planes begin at `start`. */
  add(planes: Uint8Array, start: number, { label, path }: { label: unknown; path: string }): void {
    const { classes, title } = this.#table;
    if (
      typeof label !== "number" || !Number.isInteger(label) || label < 0 || label >= classes.length
    ) {
      throw new DatasetError(
        `Cannot use ${path}: image ${this.#next} has label ${label}, but ${title} has ${classes.length} classes`,
      );
    }
    const { images, labels } = this.#split;
    labels[this.#next] = label;
    let to = this.#next * IMAGE_VALUES;
    for (let pixel = start; pixel < start + PLANE; pixel++) {
      images[to++] = planes[pixel];
      images[to++] = planes[pixel + PLANE];
      images[to++] = planes[pixel + 2 * PLANE];
    }
    this.#next++;
  }

  /** The split. */
  finish(): Split {
    return this.#split;
  }
}

/** Bytes of a binary data file. */
export function binarySize(table: CifarTable, file: DataFile): number {
  return file.images * (table.labelBytes + IMAGE_VALUES);
}

function addBinary(
  builder: SplitBuilder,
  { bytes, path }: FileContent,
  { table, file }: { table: CifarTable; file: DataFile },
): void {
  const expected = binarySize(table, file), record = expected / file.images;
  if (bytes.length !== expected) {
    throw new DatasetError(`Cannot use ${path}: want ${expected} bytes, got ${bytes.length}`);
  }
  for (let start = table.labelBytes; start < expected; start += record) {
    builder.add(bytes, start, { label: bytes[start - 1], path });
  }
}

function addPython(
  builder: SplitBuilder,
  { bytes, path }: FileContent,
  { table, file }: { table: CifarTable; file: DataFile },
): void {
  let content;
  try {
    content = readPickle(bytes);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new DatasetError(`Cannot read ${path} as a pickle: ${error.message}`, { cause: error });
  }
  const data = content instanceof Map ? content.get("data") : undefined;
  const labels = content instanceof Map ? content.get(table.labelKey) : undefined;
  const shape = data !== null && typeof data === "object" && "shape" in data ? data : undefined;
  if (shape?.shape.join() !== `${file.images},${IMAGE_VALUES}`) {
    throw new DatasetError(
      `Cannot use ${path}: want \`data\` of shape [${file.images}, ${IMAGE_VALUES}], got ${
        shape ? `[${shape.shape.join(", ")}]` : "none"
      }`,
    );
  }
  if (!Array.isArray(labels) || labels.length !== file.images) {
    const got = Array.isArray(labels) ? labels.length : "none";
    throw new DatasetError(
      `Cannot use ${path}: want ${file.images} \`${table.labelKey}\`, got ${got}`,
    );
  }
  labels.forEach((label, i) => builder.add(shape.data, i * IMAGE_VALUES, { label, path }));
}

/**
 * Reads the data files of a split in order.
 *
 * @param files The files of the split, as `archive` lists them.
 * @param options The data set, the archive's format, and how to get a file's content.
 * @throws {DatasetError} If a file has another size or layout, or a label out of range.
 */
export async function readSplit(
  files: readonly DataFile[],
  options: {
    table: CifarTable;
    archive: Archive;
    content: (file: DataFile) => Promise<FileContent>;
  },
): Promise<Split> {
  const { table, archive, content } = options;
  const builder = new SplitBuilder(table, files.reduce((sum, { images }) => sum + images, 0));
  const add = archive.format === "binary" ? addBinary : addPython;
  for (const file of files) add(builder, await content(file), { table, file });
  return builder.finish();
}
