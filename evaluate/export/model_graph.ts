/**
 * The graph of weights that a person names, with what they do not tell themselves: names of the classes,
 * statistics of the pixels, and size of the images.
 */

import { CIFAR_TABLES, type CifarTable } from "../../datasets/cifar_tables.ts";
import { IMAGENET_STATISTICS } from "../../datasets/image_folder.ts";
import type { Statistics } from "../../datasets/types.ts";
import { BATCH_NORM } from "../../nn/batch_norm.ts";
import { attempt, RunError } from "../../nn/run_files.ts";
import type { NetworkKind } from "../../nn/stem.ts";
import type { EvaluationDataset } from "../config.ts";
import type { ModelDescription } from "../trained_network.ts";
import { CLASSES_KEY } from "../weights/class_names.ts";
import { INPUT_KEY, type NetworkInput } from "../weights/network_input.ts";
import { printableReason } from "../weights/weights_error.ts";
import type { Graph } from "./graph.ts";
import { networkGraph } from "./network_graph.ts";

/** What a person gave; the training's, or the data set's, where that is undefined. */
export interface ModelGraphOptions extends Partial<Statistics> {
  /** Whether batch norms go into the filters; default true. */
  readonly fold?: boolean;
  /** The data set whose names and statistics are meant. */
  readonly dataset?: EvaluationDataset;
  /** A file of the classes' names, one a line. */
  readonly classNames?: string;
  /** Side of the images in pixels. */
  readonly imageSize?: number;
}

/** What of a network's input goes into the graph. */
type InputFacts = Pick<NetworkInput, "size" | "mean" | "std">;

/** Sides of the images that networks are made for. */
const IMAGE_SIZES: Readonly<Record<NetworkKind, number>> = { cifar: 32, imagenet: 224 };

/**
 * Builds the graph.
 *
 * @throws {RunError} when a weight does not fit, or nothing tells the classes' names or the statistics
 */
export function modelGraph(model: ModelDescription, options: ModelGraphOptions): Graph {
  const { path, genotype, layers, channels, network, config, file } = model;
  const classes = classNames(model, options), input = inputOf(model, options);
  try {
    return networkGraph({
      genotype,
      layers,
      channels,
      network,
      weights: file.weights,
      epsilon: config?.batchNorm.epsilon ?? BATCH_NORM.epsilon,
      fold: options.fold ?? true,
      imageSize: input.size,
      statistics: input,
      classes,
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RunError(`Cannot export ${path}: ${printableReason(error.message)}`);
  }
}

/** Size and statistics: those given, else those of the data set given, else those of the training. */
function inputOf(model: ModelDescription, options: ModelGraphOptions): InputFacts {
  const { path, network, config } = model;
  const trained = metadataOf<NetworkInput>(model, INPUT_KEY);
  const usual = tableOf(model, options) ??
    (network === "imagenet" ? IMAGENET_STATISTICS : undefined);
  const told = options.dataset ? undefined : trained ?? config?.normalisation;
  const mean = options.mean ?? told?.mean ?? usual?.mean;
  const std = options.std ?? told?.std ?? usual?.std;
  if (!mean || !std) {
    throw new RunError(
      `Cannot export ${path}: it does not tell how its images are normalised; give --mean and --std`,
    );
  }
  return { mean, std, size: options.imageSize ?? trained?.size ?? IMAGE_SIZES[network] };
}

/** CIFAR's facts: of the data set given, that of the training, or that of as many classes. */
function tableOf(
  { config, classes, network }: ModelDescription,
  { dataset = config?.dataset }: ModelGraphOptions,
): CifarTable | undefined {
  const tables = Object.values(CIFAR_TABLES);
  if (dataset) return tables.find(({ name }) => name === dataset);
  return network === "cifar" ? tables.find((table) => table.classes.length === classes) : undefined;
}

function classNames(model: ModelDescription, options: ModelGraphOptions): readonly string[] {
  const { path, classes } = model, from = options.classNames;
  const told = options.dataset ? undefined : metadataOf<string[]>(model, CLASSES_KEY);
  const names = from === undefined
    ? told ?? tableOf(model, options)?.classes
    : attempt(`read ${from}`, () => Deno.readTextFileSync(from)).trimEnd().split(/\r?\n/);
  if (!names) {
    throw new RunError(
      `Cannot export ${path}: nothing tells the names of its ${classes} classes; give a file with one a ` +
        `line as --class-names`,
    );
  }
  if (names.length !== classes) {
    throw new RunError(
      `Cannot export ${path}: it has ${classes} classes, and there are ${names.length} names`,
    );
  }
  return names;
}

/** A value of the weights' metadata, where they have it. */
function metadataOf<T>({ path, file: { metadata } }: ModelDescription, key: string): T | undefined {
  if (metadata[key] === undefined) return undefined;
  try {
    return JSON.parse(metadata[key]);
  } catch {
    throw new RunError(`Cannot export ${path}: "${key}" of its metadata is not JSON`);
  }
}
