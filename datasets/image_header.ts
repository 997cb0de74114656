/**
 * Which kind of image a file's first bytes announce, as far as decoding depends on it.
 *
 * Only what is told here is decoded, so that a file counts as an image by its content, not its name, and
 * no other of the decoder's formats (SVG, GIF, TIFF, ...) is taken for a photograph. Sources: JPEG's
 * markers are ITU-T T.81, table B.1; PNG's header is chunk IHDR of its specification, third edition.
 */

/** A JPEG of four colours, or a PNG of 16-bit grey, is converted otherwise than the rest of its format. */
export type ImageKind = "jpeg" | "cmyk-jpeg" | "png" | "grey16-png" | "webp";

const PNG_SIGNATURE = "\x89PNG\r\n\x1a\n";
const PNG_BIT_DEPTH = 24, PNG_COLOUR_TYPE = 25;

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

/** Whether a marker opens a frame, SOF0 to SOF15: among them are three that do not (DHT, JPG, DAC). */
function opensFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Number of colour components in a JPEG's first frame header, or 0 if it has none. */
function jpegComponents(bytes: Uint8Array): number {
  let at = 2;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0) return 0;
    while (bytes[at] === 0xff) at++;
    const marker = bytes[at++];
    if (opensFrame(marker)) return bytes[at + 7] ?? 0;
    const standsAlone = marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    if (!standsAlone) at += (bytes[at] << 8) | bytes[at + 1];
  }
}

/** The kind of image in a file, or undefined if it is none that this project decodes. */
export function imageKind(bytes: Uint8Array): ImageKind | undefined {
  if (ascii(bytes, 0, 3) === "\xff\xd8\xff") {
    return jpegComponents(bytes) === 4 ? "cmyk-jpeg" : "jpeg";
  }
  if (ascii(bytes, 0, 8) === PNG_SIGNATURE) {
    return bytes[PNG_BIT_DEPTH] === 16 && bytes[PNG_COLOUR_TYPE] === 0 ? "grey16-png" : "png";
  }
  return ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP" ? "webp" : undefined;
}
