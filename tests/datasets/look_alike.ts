/** Small data sets in the published forms: the same files and layouts, with a few made-up images. */

import { createTarGzip } from "nanotar";
import { IMAGE_VALUES } from "../../datasets/augmentation.ts";
import type { Archive, CifarTable } from "../../datasets/cifar_tables.ts";
import { CIFAR_TABLES } from "../../datasets/cifar_tables.ts";
import { md5Of } from "../../datasets/digest.ts";
import type { CifarName, Split } from "../../datasets/types.ts";
import { pickleDictionary } from "./python_pickle.ts";
import { syntheticSplit } from "./synthetic.ts";

/** Images in each data file. */
const IMAGES = 3;

/** A published archive's likeness: its table entry with digests of its own, its files and its bytes. */
export interface LookAlike {
  archive: Archive;
  /** Contents of the data files by name. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
  /** The gzipped tar. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** A data set in all its forms. */
export interface LookAlikeSet {
  table: CifarTable;
  train: Split;
  test: Split;
  /** Binary and python. */
  forms: { binary: LookAlike; python: LookAlike };
}

/** Planes of an image of a split: all reds, all greens, all blues. */
function planesOf(split: Split, index: number): Uint8Array {
  const planes = new Uint8Array(IMAGE_VALUES);
  for (let at = 0; at < IMAGE_VALUES; at++) {
    planes[(at % 3) * 1024 + Math.floor(at / 3)] = split.images[index * IMAGE_VALUES + at];
  }
  return planes;
}

function binaryFile(split: Split, first: number, labelBytes: number): Uint8Array<ArrayBuffer> {
  const record = labelBytes + IMAGE_VALUES, bytes = new Uint8Array(IMAGES * record).fill(77);
  for (let i = 0; i < IMAGES; i++) {
    bytes[i * record + labelBytes - 1] = split.labels[first + i];
    bytes.set(planesOf(split, first + i), i * record + labelBytes);
  }
  return bytes;
}

function pythonFile(split: Split, first: number, labelKey: string): Uint8Array<ArrayBuffer> {
  const indices = Array.from({ length: IMAGES }, (_, i) => first + i);
  const data = new Uint8Array(IMAGES * IMAGE_VALUES);
  indices.forEach((index, i) => data.set(planesOf(split, index), i * IMAGE_VALUES));
  return pickleDictionary({
    batch_label: "training batch 1 of 5",
    [labelKey]: indices.map((index) => split.labels[index]),
    data: { rows: IMAGES, columns: IMAGE_VALUES, data },
    filenames: indices.map((index) => `image_${index}.png`),
  });
}

/** Packs files below a folder; a tar of Krizhevsky's also holds the folder and a page. */
export async function pack(
  folder: string,
  files: Map<string, Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const entries = Array.from(files, ([name, data]) => ({ name: `${folder}/${name}`, data }));
  const page = { name: `${folder}/readme.html`, data: "<html></html>" };
  return new Uint8Array(await createTarGzip([{ name: `${folder}/` }, page, ...entries]));
}

async function lookAlike(
  set: { table: CifarTable; train: Split; test: Split },
  original: Archive,
): Promise<LookAlike> {
  const { table, train, test } = set;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const file = (split: Split, name: string, first: number) => {
    const bytes = original.format === "binary"
      ? binaryFile(split, first, table.labelBytes)
      : pythonFile(split, first, table.labelKey);
    files.set(name, bytes);
    return { name, images: IMAGES, md5: md5Of(bytes) };
  };
  const trainFiles = original.train.map(({ name }, i) => file(train, name, i * IMAGES));
  const testFiles = original.test.map(({ name }, i) => file(test, name, i * IMAGES));
  const bytes = await pack(original.folder, files);
  const size = bytes.length, md5 = md5Of(bytes);
  return {
    archive: { ...original, size, md5, train: trainFiles, test: testFiles },
    files,
    bytes,
  };
}

/** A small data set that is published as the named one is. */
export async function makeLookAlikes(name: CifarName): Promise<LookAlikeSet> {
  const original = CIFAR_TABLES[name], [binary, python] = original.archives;
  const classes = original.classes.length;
  const set = {
    table: original,
    train: syntheticSplit(IMAGES * binary.train.length, classes),
    test: syntheticSplit(IMAGES * binary.test.length, classes),
  };
  const forms = { binary: await lookAlike(set, binary), python: await lookAlike(set, python) };
  const archives = [forms.binary.archive, forms.python.archive];
  return { ...set, table: { ...original, archives }, forms };
}

/** Writes an unpacked archive: its folder of data files. */
export async function writeUnpacked(parent: string, form: LookAlike): Promise<string> {
  const folder = `${parent}/${form.archive.folder}`;
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, bytes] of form.files) await Deno.writeFile(`${folder}/${name}`, bytes);
  return folder;
}
