/**
 * Decodes an image file to the pixels that torchvision's loader sees: PIL's
 * `Image.open(path).convert("RGB")`, by libvips through sharp.
 *
 * As PIL does: an orientation in EXIF and an embedded colour profile are ignored, alpha is dropped and not
 * blended, of an animation the first frame is taken, a palette is looked up, 16-bit colour keeps its high
 * byte, 16-bit grey is clipped at 255, and JPEG is decoded at full size. Pixels are PIL's to the last bit
 * (`tests/datasets/decode_test.ts`). JPEG, PNG and WebP are decoded; a file of another format, which PIL may
 * read, is unreadable here. A PNG whose checksums are wrong or missing is refused also where PIL reads it;
 * a JPEG damaged behind its last row, and a PNG in its metadata alone, are read where PIL refuses them.
 *
 * The file is read by Deno and not by libvips, so that Deno's permissions hold. sharp is loaded with the first
 * image: it asks for `--allow-ffi`, for the environment variables of `sharp_permissions.ts` and, on
 * Linux, for `/usr/bin/ldd`, which tells glibc from musl.
 */

import { type ImageKind, imageKind } from "./image_header.ts";
import { DatasetError } from "./types.ts";

/** An image in memory. */
export interface RgbImage {
  /** `[height, width, 3]`, red first, 0..255. */
  pixels: Uint8Array<ArrayBuffer>;
  /** Columns. */
  width: number;
  /** Rows. */
  height: number;
}

/** A file that is no image, or a damaged one; `reason` says why in a few words. */
export class UnreadableImageError extends DatasetError {
  /**
   * @param path The file.
   * @param reason Why, in a few words.
   */
  constructor(readonly path: string, readonly reason: string) {
    super(`Cannot read the image ${path}: ${reason}`);
  }
}

/** Twice PIL's `Image.MAX_IMAGE_PIXELS`, from where on it refuses an image. */
const MAX_PIXELS = 178_956_970;

type Sharp = typeof import("sharp").default;

let loading: Promise<Sharp> | undefined;

/** Loads sharp, once. A worker decodes one image at a time and none twice: no threads, no cache. */
function loadSharp(): Promise<Sharp> {
  return loading ??= import("sharp").then(({ default: sharp }) => {
    sharp.concurrency(1);
    sharp.cache(false);
    return sharp;
  }, (error) => {
    const [reason] = String(error?.message ?? error).split("\n");
    throw new DatasetError(`Cannot decode images: sharp does not load: ${reason}`);
  });
}

/**
 * Reads and decodes an image file.
 *
 * @param path A JPEG, PNG or WebP file, whatever its name says.
 * @returns Its pixels, the caller's.
 * @throws {UnreadableImageError} If there is no such file, it is a folder, no image of these formats, damaged
 *   or truncated, or has more than 178,956,970 pixels.
 * @throws {DatasetError} If sharp cannot be loaded.
 */
export async function decodeImage(path: string): Promise<RgbImage> {
  const bytes = await readBytes(path);
  if (bytes.length === 0) throw new UnreadableImageError(path, "empty file");
  const kind = imageKind(bytes);
  if (kind === undefined) throw new UnreadableImageError(path, "not a JPEG, PNG or WebP image");
  const sharp = await loadSharp();
  try {
    return await decodeBytes(sharp, bytes, kind);
  } catch (error) {
    throw new UnreadableImageError(path, decoderReason(error));
  }
}

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new UnreadableImageError(path, "no such file");
    if (error instanceof Deno.errors.IsADirectory) throw new UnreadableImageError(path, "a folder");
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new UnreadableImageError(path, "no permission to read it");
    }
    throw error;
  }
}

/** What libvips' message about a file comes down to. */
function decoderReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes("exceeds pixel limit")) return `more than ${MAX_PIXELS} pixels`;
  return message.includes("premature end") ? "truncated" : "damaged or truncated";
}

async function decodeBytes(
  sharp: Sharp,
  bytes: Uint8Array<ArrayBuffer>,
  kind: ImageKind,
): Promise<RgbImage> {
  const image = sharp(bytes, { failOn: "error", ignoreIcc: true, limitInputPixels: MAX_PIXELS });
  const raw = { resolveWithObject: true } as const;
  if (kind === "cmyk-jpeg") {
    const inks = image.pipelineColourspace("cmyk").toColourspace("cmyk");
    const { data, info } = await inks.raw().toBuffer(raw);
    return { pixels: fromCmyk(data), width: info.width, height: info.height };
  }
  if (kind === "grey16-png") {
    const grey = image.pipelineColourspace("grey16").toColourspace("grey16").extractChannel(0);
    const { data, info } = await grey.raw({ depth: "ushort" }).toBuffer(raw);
    const values = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    return { pixels: fromGrey16(values), width: info.width, height: info.height };
  }
  const { data, info } = await image.toColourspace("srgb").removeAlpha().raw().toBuffer(raw);
  const pixels = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.length);
  return { pixels, width: info.width, height: info.height };
}

/** (255 - ink) (255 - black) / 255, rounded: PIL's `cmyk2rgb`. */
function fromCmyk(inks: Uint8Array): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array(inks.length / 4 * 3);
  for (let from = 0, to = 0; to < pixels.length; from += 4, to += 3) {
    const light = 255 - inks[from + 3];
    for (let ink = 0; ink < 3; ink++) {
      pixels[to + ink] = light - Math.round(inks[from + ink] * light / 255);
    }
  }
  return pixels;
}

/** The value clipped at 255, three times: PIL's conversion of mode `I;16`. */
function fromGrey16(values: Uint16Array): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array(values.length * 3);
  for (let i = 0; i < values.length; i++) pixels.fill(Math.min(values[i], 255), 3 * i, 3 * i + 3);
  return pixels;
}
