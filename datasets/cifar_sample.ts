/**
 * A few real images that come with the project: the first 384 training and the first 96 test images of
 * CIFAR-10, for the tests and for the demo in the browser.
 *
 * They lie below one another in `cifar10_sample.png`, 32 pixels wide, so that its decoded pixels are
 * `[480, 32, 32, 3]` as they are. The caller brings the file's bytes: a program imports or reads them, a
 * page fetches them. `cifar_test.ts` compares the images with the whole data set.
 *
 * Source: Alex Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
 */

import { decode } from "fast-png";
import { IMAGE_VALUES } from "./augmentation.ts";
import { CIFAR_TABLES } from "./cifar_tables.ts";
import type { ImageDataset, Split } from "./types.ts";

const TRAIN_LABELS =
  "699411278347729993264366263540091340373352271112209579225243118211497859673190313545774794238016" +
  "114183966185299817700691229266195047671811281336249954367468554318476095138275341570475510969087" +
  "882523506193691396671095852908806911637660661715836686846613834171385114093749924991059082120563" +
  "278860794564211215990841163390797791516687130332457590340446006608162925967418736930405103485472";
const TEST_LABELS =
  "388066163109579857867049524096654592419546560939769803887746736362123726880293388117252789038646";

function makeSplit(pixels: Uint8Array, labels: string, first: number): Split {
  const end = first + labels.length;
  return {
    images: pixels.slice(first * IMAGE_VALUES, end * IMAGE_VALUES) as Uint8Array<ArrayBuffer>,
    labels: Uint8Array.from(labels, Number),
    count: labels.length,
  };
}

/**
 * CIFAR-10 with its first 384 training and 96 test images; every call makes arrays of its own.
 *
 * @param png The bytes of `cifar10_sample.png`.
 */
export function cifarSample(png: Uint8Array): ImageDataset {
  const pixels = decode(png).data as Uint8Array;
  const { name, classes, mean, std } = CIFAR_TABLES.cifar10;
  return {
    name,
    classes,
    mean,
    std,
    train: makeSplit(pixels, TRAIN_LABELS, 0),
    test: makeSplit(pixels, TEST_LABELS, TRAIN_LABELS.length),
  };
}
