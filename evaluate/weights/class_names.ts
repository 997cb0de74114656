/** The names of the classes that trained weights tell apart, where the file or its data set tells them. */

import { CIFAR_TABLES } from "../../datasets/cifar_tables.ts";
import { RunError } from "../../nn/run_files.ts";
import type { TrainingConfig } from "../config.ts";
import type { WeightsFile } from "./read_weights.ts";
import { printableReason } from "./weights_error.ts";

/** What the metadata of weights has besides the genotype: JSON of each. */
export const CLASSES_KEY = "classes";

/**
 * The names in the order of the logits; undefined where nothing tells them, as in files of PyTorch's.
 *
 * @throws {RunError} If the metadata are no names.
 */
export function classNamesOf(
  { path, metadata }: Pick<WeightsFile, "path" | "metadata">,
): readonly string[] | undefined {
  const text = metadata[CLASSES_KEY];
  if (text === undefined) {
    const { dataset = "" } = parsed<TrainingConfig>(metadata.config ?? "{}", path);
    return Object.entries(CIFAR_TABLES).find(([name]) => name === dataset)?.[1].classes;
  }
  const names = parsed<unknown>(text, path);
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw new RunError(`Cannot use ${path}: its class names are no list of texts`);
}

function parsed<T>(text: string, path: string): T {
  try {
    return JSON.parse(text);
  } catch {
    throw new RunError(`Cannot use ${path}: its metadata are not JSON`);
  }
}

/**
 * The first class that differs, in words; undefined where all agree.
 *
 * @param ours Names of the data.
 * @param theirs Names of the weights.
 */
export function firstOtherClass(
  ours: readonly string[],
  theirs: readonly string[],
): string | undefined {
  const place = theirs.findIndex((name, index) => name !== ours[index]);
  if (place >= 0) {
    const here = place < ours.length ? `the data's ${ours[place]}` : "the data has no such class";
    return printableReason(`class ${place} is ${theirs[place]}, and ${here}`);
  }
  return ours.length > theirs.length
    ? `the data has ${ours.length} classes, ${ours[theirs.length]} the first that the weights lack`
    : undefined;
}
