/**
 * What PIL and torchvision make of images: `tests/fixtures/images`, written by
 * `bench/peers/pytorch/make_image_fixtures.py`.
 */

import { decode } from "fast-png";
import type { RgbImage } from "../../datasets/decode.ts";
import { SHARP_PERMISSIONS } from "../../datasets/sharp_permissions.ts";
import type { TransformChoice } from "../../datasets/image_transforms.ts";
import { permitted } from "../permitted.ts";
import index from "../fixtures/images/index.json" with { type: "json" };

const FOLDER = "tests/fixtures/images";

/** A photograph transformed for training, with its choices, or for a test. */
export interface TransformCase {
  photograph: string;
  /** Name of the PNG of the result. */
  expected: string;
  size: number;
  choice?: TransformChoice;
  resize?: number;
}

/** Digests of what PIL decodes of each photograph. */
export const digests: Record<string, string> = index.digests;
/** What torchvision's transforms make of the photographs. */
export const transformCases = index.transforms as readonly TransformCase[];
/** The unusual files: the name of the PNG that PIL decodes, or null if it refuses the file. */
export const oddFiles: Record<string, string | null> = index.odd;

/** Path of a photograph. */
export function photograph(name: string): string {
  return `${FOLDER}/photographs/${name}`;
}

/** Path of an unusual file. */
export function oddFile(name: string): string {
  return `${FOLDER}/odd/${name}`;
}

/** Decodes an expected image without the decoder that is tested. */
export async function readExpected(name: string): Promise<RgbImage> {
  const { data, width, height, channels } = decode(
    await Deno.readFile(`${FOLDER}/expected/${name}`),
  );
  if (channels !== 3) {
    throw new TypeError(`Cannot read ${name}: want RGB, got ${channels} channels`);
  }
  return { pixels: data as Uint8Array<ArrayBuffer>, width, height };
}

/** Whether this process may decode the fixtures; pass it to `ignore`. */
export function decodingPermitted(): boolean {
  const { read, ...rest } = SHARP_PERMISSIONS;
  return permitted({ read: [".", ...read], ...rest });
}
