/**
 * A folder of raw arrays, made once from a slow source and checked at every use.
 *
 * Invariants: a file appears under its name only when complete (temporary name, sync, rename); its size and
 * SHA-256 are known beforehand, so a damaged or foreign file is never used: all are made again. A cache
 * that cannot be written costs time, not the run.
 */

import { sha256Of } from "./digest.ts";
import { DatasetError } from "./types.ts";

/** One array as it must be. */
export interface RawFile {
  /** File name. */
  name: string;
  /** Bytes. */
  size: number;
  sha256: string;
}

/** Array contents by file name. */
export type RawArrays = Map<string, Uint8Array<ArrayBuffer>>;

/** Age in milliseconds after which a temporary file is a killed run's. */
const STALE_AFTER = 60 * 60 * 1000;
const TEMPORARY = ".tmp";

/** How {@linkcode loadRaw} makes and reports. */
export interface RawCacheOptions {
  files: readonly RawFile[];
  /** Makes every file's content from the source. */
  make: () => Promise<RawArrays>;
  /** Name of the data in messages. */
  title: string;
  onProgress?: (message: string) => void;
}

function isRight(file: RawFile, bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && bytes.length === file.size && sha256Of(bytes) === file.sha256;
}

/** All files, or what is wrong with the first that is missing or damaged. */
async function readAll(
  folder: string,
  files: readonly RawFile[],
): Promise<RawArrays | "missing" | "damaged"> {
  const arrays: RawArrays = new Map();
  for (const file of files) {
    const bytes = await Deno.readFile(`${folder}/${file.name}`).catch(() => undefined);
    if (bytes === undefined) return "missing";
    if (!isRight(file, bytes)) return "damaged";
    arrays.set(file.name, bytes);
  }
  return arrays;
}

/** Writes a file that is either absent or complete, even if the machine stops meanwhile. */
async function writeAtomically(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}${TEMPORARY}`;
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/** Removes temporary files that killed runs left; younger ones may be another run's at work. */
async function removeStale(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(TEMPORARY)) continue;
    const { mtime } = await Deno.stat(`${folder}/${name}`);
    if (mtime && Date.now() - mtime.getTime() > STALE_AFTER) {
      await Deno.remove(`${folder}/${name}`);
    }
  }
}

/**
 * The arrays of a cache folder, made first where one is missing or damaged.
 *
 * @param folder The cache folder; created if needed.
 * @throws {DatasetError} If the source makes other arrays than it should; and whatever `make` throws.
 */
export async function loadRaw(folder: string, options: RawCacheOptions): Promise<RawArrays> {
  const { files, make, title, onProgress = () => {} } = options;
  const found = await readAll(folder, files);
  if (typeof found !== "string") return found;
  if (found === "damaged") onProgress(`${title} in ${folder} is damaged; making it again`);
  const arrays = await make();
  for (const file of files) {
    const bytes = arrays.get(file.name);
    if (isRight(file, bytes)) continue;
    const got = bytes ? `${sha256Of(bytes)} of ${bytes.length} bytes` : "nothing";
    throw new DatasetError(
      `Cannot use ${title}: want ${file.name} with SHA-256 ${file.sha256} of ${file.size} bytes, got ${got}`,
    );
  }
  try {
    await Deno.mkdir(folder, { recursive: true });
    await removeStale(folder);
    for (const file of files) {
      await writeAtomically(`${folder}/${file.name}`, arrays.get(file.name)!);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    onProgress(`Cannot keep ${title} in ${folder}, so it is made again next time: ${reason}`);
  }
  return arrays;
}
