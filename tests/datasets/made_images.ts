/** Folders of small images for tests: of one colour each, so that a decoded pixel tells which it was. */

import { encode } from "fast-png";

type Colour = readonly [number, number, number];

/** What a file holds: a square of one colour or of a pattern, or bytes that are no image. */
export type MadeImage =
  | { colour: Colour | ((row: number, column: number) => Colour); side?: number }
  | Uint8Array;

function bytesOf(image: MadeImage): Uint8Array {
  if (image instanceof Uint8Array) return image;
  const { colour, side = 8 } = image;
  const pixel = typeof colour === "function" ? colour : () => colour;
  const places = Array.from(
    { length: side * side },
    (_, at) => pixel(Math.floor(at / side), at % side),
  );
  const data = Uint8Array.from(places.flat());
  return encode({ width: side, height: side, data, channels: 3, depth: 8 });
}

/** Writes images by their paths below a folder; folders are made where needed. */
export async function writeImages(
  folder: string,
  images: Readonly<Record<string, MadeImage>>,
): Promise<void> {
  for (const [path, image] of Object.entries(images)) {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeFile(`${folder}/${path}`, bytesOf(image));
  }
}

/** Empty files by their paths below a folder, for what opens none of them. */
export function emptyFiles(paths: readonly string[]): Record<string, MadeImage> {
  return Object.fromEntries(paths.map((path) => [path, new Uint8Array()]));
}

/** A file that is no image. */
export const TEXT_FILE: MadeImage = new TextEncoder().encode("This is a text.\n");
