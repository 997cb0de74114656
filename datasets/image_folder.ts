/**
 * Finds the images of a folder: train/ and val/ of class folders, as ImageNet is unpacked, or one folder
 * of classes whose images are shared out between training and test.
 *
 * Invariants: what is listed follows from the names in the folder and the seed alone; a label is the place
 * of its class among the sorted names of the training classes. No image is opened.
 */

import { CounterRandom } from "../backends/random.ts";
import {
  type ClassFolder,
  listed,
  readClassFolders,
  readEntries,
  realFolder,
} from "./class_folders.ts";
import {
  DatasetError,
  type FolderDataset,
  type FolderName,
  type FolderSplit,
  type Statistics,
} from "./types.ts";

/** Means and deviations of ImageNet, for any photographs. REFERENCE: "Evaluation". */
export const IMAGENET_STATISTICS: Statistics = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Names the random streams of this file within a seed, and each of them. */
const FOLDER_STREAM = 0x666f6c64, CLASSES = 0, SHARE = 1, IMAGES = 2;

/** Options of {@linkcode readImageFolder}. */
export interface ImageFolderOptions {
  /** Which preset the images go with. */
  name: FolderName;
  /** Folder with train/ and val/, or, with `valShare`, with class folders. */
  root: string;
  /** Share of each class's images that is for the test, in (0, 1): at least one image, and not all. */
  valShare?: number;
  /** Classes to use, drawn by the seed; default all. */
  classes?: number;
  /** Training images to use of each class, drawn by the seed; a class that has fewer gives all. */
  perClass?: number;
  /** Draws classes, images and the test's share; default 0. */
  seed?: number;
}

/** The classes of both parts. */
interface Parts {
  train: { root: string; classes: ClassFolder[] };
  test: { root: string; classes: ClassFolder[] };
}

/** `count` of the items, drawn, in their order. */
function draw<T>(items: readonly T[], count: number, random: CounterRandom): T[] {
  if (count >= items.length) return [...items];
  const places = random.permutation(items.length).subarray(0, count).sort();
  return Array.from(places, (place) => items[place]);
}

/** Which of the folders train and val there are. */
async function partFolders(root: string, tree: string): Promise<string[]> {
  const entries = await readEntries(root, tree);
  return ["train", "val"].filter((part) =>
    entries.some(({ name, isDirectory }) => isDirectory && name === part)
  );
}

/** Images of train/ and val/, whose classes agree. */
async function readParts(root: string, tree: string): Promise<Parts> {
  const names = await partFolders(root, tree);
  const missing = ["train", "val"].filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new DatasetError(
      `Cannot use ${root}: it has no folder ${missing.join(" and no ")}; want train and val of ` +
        "class folders, or one folder of class folders with --val-share",
    );
  }
  const train = await readClassFolders(`${root}/train`, tree);
  const test = await readClassFolders(`${root}/val`, tree);
  const known = new Set(train.map(({ name }) => name));
  const strange = test.map(({ name }) => name).filter((name) => !known.has(name));
  if (strange.length > 0) {
    throw new DatasetError(
      `Cannot use ${root}: val has classes that train lacks: ${listed(strange)}`,
    );
  }
  return {
    train: { root: `${root}/train`, classes: train },
    test: { root: `${root}/val`, classes: test },
  };
}

/** Images of one folder of classes, shared out class by class. */
async function shareParts(
  root: string,
  { tree, valShare, random }: { tree: string; valShare: number; random: CounterRandom },
): Promise<Parts> {
  if ((await partFolders(root, tree)).length === 2) {
    throw new DatasetError(`Cannot share out ${root}: it has train and val; leave out --val-share`);
  }
  const classes = await readClassFolders(root, tree);
  const single = classes.filter(({ files }) => files.length < 2).map(({ name }) => name);
  if (single.length > 0) {
    throw new DatasetError(
      `Cannot share out ${root}: want two images or more of a class, got one of ${listed(single)}`,
    );
  }
  const test = classes.map(({ name, files }, label) => {
    const count = Math.round(files.length * valShare);
    const within = Math.min(Math.max(count, 1), files.length - 1);
    return { name, files: draw(files, within, random.fork(label)) };
  });
  const train = classes.map(({ name, files }, label) => {
    const taken = new Set(test[label].files);
    return { name, files: files.filter((file) => !taken.has(file)) };
  });
  return { train: { root, classes: train }, test: { root, classes: test } };
}

/** The split of these classes, labelled by their places among `names`. */
function splitOf(
  { root, classes }: { root: string; classes: readonly ClassFolder[] },
  names: readonly string[],
): FolderSplit {
  const places = new Map(names.map((name, label) => [name, label]));
  const used = classes.filter(({ name }) => places.has(name));
  const paths = used.flatMap(({ name, files }) => files.map((file) => `${name}/${file}`));
  const labels = used.flatMap(({ name, files }) => files.map(() => places.get(name)!));
  return { root, paths, labels: Int32Array.from(labels), count: paths.length };
}

function checkOptions({ valShare, classes, perClass }: ImageFolderOptions): void {
  if (valShare !== undefined && !(valShare > 0 && valShare < 1)) {
    throw new RangeError(`Cannot share out images: want a share between 0 and 1, got ${valShare}`);
  }
  for (const [what, count] of [["classes", classes], ["images of each class", perClass]] as const) {
    if (count !== undefined && !(Number.isSafeInteger(count) && count >= 1)) {
      throw new RangeError(`Cannot use ${count} ${what}: want 1 or more`);
    }
  }
}

/**
 * Lists the images of a folder.
 *
 * @example
 * ```ts ignore
 * const data = await readImageFolder({ name: "imagefolder", root: "flowers", valShare: 0.1 });
 * data.classes; // ["daisy", "rose", "tulip"]
 * ```
 * @throws {DatasetError} If the folder is not as its options say, or there are fewer classes than asked for.
 * @throws {RangeError} If the share, the classes or the images of a class are out of range.
 */
export async function readImageFolder(options: ImageFolderOptions): Promise<FolderDataset> {
  checkOptions(options);
  const { name, valShare, perClass, seed = 0 } = options;
  const root = options.root.replace(/(?<=.)[\\/]+$/, "");
  const random = new CounterRandom(seed).fork(FOLDER_STREAM);
  const tree = await realFolder(root);
  const { train, test } = valShare === undefined
    ? await readParts(root, tree)
    : await shareParts(root, { tree, valShare, random: random.fork(SHARE) });
  const found = train.classes;
  const { classes: wanted = found.length } = options;
  if (wanted > found.length) {
    throw new DatasetError(`Cannot use ${wanted} classes of ${root}: it has ${found.length}`);
  }
  const images = random.fork(IMAGES);
  const reduced = found.map(({ name, files }, label) => ({
    name,
    files: draw(files, perClass ?? files.length, images.fork(label)),
  }));
  const used = draw(reduced, wanted, random.fork(CLASSES));
  const classes = used.map((it) => it.name);
  const splits = {
    train: splitOf({ root: train.root, classes: used }, classes),
    test: splitOf(test, classes),
  };
  if (splits.test.count === 0) {
    throw new DatasetError(
      `Cannot use ${root}: val has no image of the classes ${listed(classes)}`,
    );
  }
  return { name, ...IMAGENET_STATISTICS, classes, ...splits };
}
