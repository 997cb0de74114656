/**
 * Lists a folder of class folders as torchvision's ImageFolder does: each folder is a class, classes and
 * files are sorted by name in the order of code points, and a file is an image by its extension.
 *
 * Unlike there, images lie directly in their class's folder, and no link leads out of the data: both would
 * make what is trained on depend on more than the folder says. Source: torchvision's `datasets/folder.py`.
 */

import { reasonOf } from "./read_error.ts";
import { DatasetError } from "./types.ts";

/** What torchvision takes for an image, upper case too. */
const IMAGE_FILE = /\.(jpg|jpeg|png|ppm|bmp|pgm|tif|tiff|webp)$/i;

/** Names that a message lists before it counts. */
const LISTED = 10;

/** A class as found. */
export interface ClassFolder {
  /** Name of the folder, and of the class. */
  name: string;
  /** Names of its image files, sorted; at least one. */
  files: readonly string[];
}

/** An entry of a folder, links followed. */
interface Entry {
  name: string;
  isFile: boolean;
  isDirectory: boolean;
}

/** The first ten names, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Orders names by their code points, as Python sorts strings. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at === length ? a.length - b.length : a.codePointAt(at)! - b.codePointAt(at)!;
}

/**
 * The folder with all links on the way to it followed.
 *
 * @throws {DatasetError} If it is missing, or may not be read.
 */
export async function realFolder(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    throw new DatasetError(`Cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** What a link leads to, which lies in the tree. */
async function followLink(path: string, tree: string): Promise<Deno.FileInfo> {
  let target: string;
  try {
    target = await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) target = "";
    else throw new DatasetError(`Cannot follow the link ${path}: ${reasonOf(error)}`);
  }
  if (
    !target.startsWith(tree.replace(/[\\/]*$/, "") + (Deno.build.os === "windows" ? "\\" : "/"))
  ) {
    throw new DatasetError(
      `Cannot use the link ${path}: it leads out of ${tree}; put the images themselves there`,
    );
  }
  return await Deno.stat(target);
}

/**
 * The entries of a folder, sorted by name.
 *
 * @param tree Where links may lead: a real path.
 * @throws {DatasetError} If the folder may not be read, or a link leads out of the tree or nowhere.
 */
export async function readEntries(folder: string, tree: string): Promise<Entry[]> {
  const found: Deno.DirEntry[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) found.push(entry);
  } catch (error) {
    throw new DatasetError(`Cannot read ${folder}: ${reasonOf(error)}`, { cause: error });
  }
  found.sort((a, b) => compareNames(a.name, b.name));
  const entries: Entry[] = [];
  for (const { name, isSymlink, isFile, isDirectory } of found) {
    const kind = isSymlink ? await followLink(`${folder}/${name}`, tree) : { isFile, isDirectory };
    entries.push({ name, isFile: kind.isFile, isDirectory: kind.isDirectory });
  }
  return entries;
}

/** Names of the images of a class. */
async function readImages(folder: string, tree: string): Promise<string[]> {
  const entries = await readEntries(folder, tree);
  const nested = entries.find(({ isDirectory }) => isDirectory);
  if (nested) {
    throw new DatasetError(
      `Cannot use ${folder}: it is a class's folder and holds another, ${nested.name}; ` +
        "put the images of a class directly into its folder",
    );
  }
  return entries.filter(({ name, isFile }) => isFile && IMAGE_FILE.test(name)).map((it) => it.name);
}

/**
 * The classes of a folder; files beside them are left alone.
 *
 * @param root Folder of class folders.
 * @param tree Where links may lead: a real path, that of the whole data.
 * @throws {DatasetError} If there is no class, a class has no image or holds a folder, something may not be
 *   read, or a link leads out of the tree.
 */
export async function readClassFolders(root: string, tree: string): Promise<ClassFolder[]> {
  const folders = (await readEntries(root, tree)).filter(({ isDirectory }) => isDirectory);
  if (folders.length === 0) {
    throw new DatasetError(`Cannot use ${root}: it holds no class folders of images`);
  }
  const classes: ClassFolder[] = [];
  for (const { name } of folders) {
    classes.push({ name, files: await readImages(`${root}/${name}`, tree) });
  }
  const empty = classes.filter(({ files }) => files.length === 0).map(({ name }) => name);
  if (empty.length > 0) {
    throw new DatasetError(
      `Cannot use ${root}: no image lies in the class folders ${listed(empty)}`,
    );
  }
  return classes;
}
