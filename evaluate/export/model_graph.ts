/**
 * The graph of weights that a person names, with what they do not tell themselves: names of the classes,
 * statistics of the pixels, and size of the images.
 */

import { CIFAR_TABLES, type CifarTable } from "../../datasets/cifar_tables.ts";
import type { Statistics } from "../../datasets/types.ts";
import { BATCH_NORM } from "../../nn/batch_norm.ts";
import { attempt, RunError } from "../../nn/run_files.ts";
import type { NetworkKind } from "../../nn/stem.ts";
import type { EvaluationDataset } from "../config.ts";
import type { ModelDescription } from "../trained_network.ts";
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

const IMAGE_SIZES: Readonly<Record<NetworkKind, number>> = { cifar: 32, imagenet: 224 };

/**
 * Builds the graph.
 *
 * @throws {RunError} when a weight does not fit, or nothing tells the classes' names
 */
export function modelGraph(model: ModelDescription, options: ModelGraphOptions): Graph {
  const { path, genotype, layers, channels, network, config, file } = model;
  const { fold = true, imageSize = IMAGE_SIZES[network] } = options;
  const classes = classNames(model, options), table = tableOf(model, options);
  const mean = options.mean ?? config?.normalisation.mean ?? table?.mean;
  const std = options.std ?? config?.normalisation.std ?? table?.std;
  if (!mean || !std) {
    throw new RunError(
      `Cannot export ${path}: it does not tell how its images are normalised; give --mean and --std, ` +
        `or --dataset`,
    );
  }
  try {
    return networkGraph({
      genotype,
      layers,
      channels,
      network,
      weights: file.weights,
      epsilon: config?.batchNorm.epsilon ?? BATCH_NORM.epsilon,
      fold,
      imageSize,
      statistics: { mean, std },
      classes,
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RunError(`Cannot export ${path}: ${printableReason(error.message)}`);
  }
}

/** The data set that is given, that of the training, or that of as many classes. */
function tableOf(
  { config, classes }: ModelDescription,
  { dataset = config?.dataset }: ModelGraphOptions,
): CifarTable | undefined {
  if (dataset) return CIFAR_TABLES[dataset];
  return Object.values(CIFAR_TABLES).find((table) => table.classes.length === classes);
}

function classNames(model: ModelDescription, options: ModelGraphOptions): readonly string[] {
  const { path, classes, file } = model, from = options.classNames;
  const names = from !== undefined
    ? attempt(`read ${from}`, () => Deno.readTextFileSync(from)).trimEnd().split(/\r?\n/)
    : file.metadata.classes !== undefined
    ? JSON.parse(file.metadata.classes) as string[]
    : tableOf(model, options)?.classes;
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
