/**
 * Every number of training an evaluation network, with its source: one config for CIFAR, what ImageNet and
 * any folder of images have instead, and three presets.
 *
 * `paper` is the published training, `authors` that of the authors' code, which differs on ImageNet alone,
 * and `quick` a reduced one that ends within minutes on two CPU cores: it shows the program at work and
 * reaches no published accuracy. Invariant: a config is plain JSON.
 *
 * Source: arXiv 1904.12760, sections 4.3 and 4.4 ("the paper"), and its authors' code.
 */

import { BATCH_NORM } from "../nn/batch_norm.ts";
import type { Genotype } from "../nn/genotypes.ts";
import { PDARTS } from "../nn/genotypes.ts";
import { FOLDER_DATASETS, IMAGENET_FOLDER, isFolder, QUICK_FOLDER } from "../nn/folder_config.ts";
import {
  type CommonConfig,
  FOLDER_AUGMENTATION,
  oneOf,
  SGD,
  type SgdConfig,
} from "../nn/training_config.ts";
import type { Schedule } from "../nn/schedules.ts";
import type { AuxiliaryConfig } from "./training_settings.ts";

/** The presets, the default first. */
export const PRESETS = ["paper", "authors", "quick"] as const;
/** Name of a preset. */
export type Preset = typeof PRESETS[number];

/** The data sets of the evaluation. */
export const EVALUATION_DATASETS = ["cifar10", "cifar100", ...FOLDER_DATASETS] as const;
/** Name of a data set. */
export type EvaluationDataset = typeof EVALUATION_DATASETS[number];

/** Where a genotype comes from. */
export interface ArchitectureConfig {
  /** A stored genotype's name, a file, or a search's run folder. */
  source: string;
  /** Skips that the normal cell may hold, of a search's genotypes; null for the search's own choice. */
  skips: number | null;
}

/** The training of a network. */
export interface TrainingConfig extends CommonConfig {
  /** Where the defaults came from. */
  preset: Preset;
  /** What is trained on. */
  dataset: EvaluationDataset;
  /** Where the genotype came from. */
  architecture: ArchitectureConfig;
  /** The cells. */
  genotype: Genotype;
  /** A file or run folder whose weights it starts from; null for fresh ones. */
  init: string | null;
  /** Of every random number. */
  seed: number;
  /** How many. */
  epochs: number;
  /** Images per step, and per batch of the test. */
  batch: number;
  /** Training images used, the first ones, or of a folder as drawn; null for all. */
  trainImages: number | null;
  /** Test images used, likewise; null for all. */
  testImages: number | null;
  /** Epochs from one test to the next; the last epoch is always tested. */
  testEvery: number;
  /** Cells. */
  layers: number;
  /** Channels of the first cells' states. */
  channels: number;
  /** The auxiliary head. */
  auxiliary: AuxiliaryConfig;
  /** Rate of drop path that the epochs go towards. */
  dropPath: number;
  /** Share of the label spread over all classes. */
  labelSmoothing: number;
  /** How weights are trained. */
  optimizer: SgdConfig;
  /** How their learning rate falls. */
  schedule: Schedule;
  /** First epochs, in which it rises. */
  warmupEpochs: number;
}

/** The published training. */
const PAPER: TrainingConfig = {
  preset: "paper",
  dataset: "cifar10",
  architecture: { source: "PDARTS", skips: null },
  genotype: PDARTS,
  init: null,
  seed: 0, // authors' default
  epochs: 600, // paper
  batch: 128, // paper; the authors' code has it as the default
  trainImages: null,
  testImages: null,
  testEvery: 1, // authors' code
  network: "cifar",
  layers: 20, // paper
  channels: 36, // paper
  auxiliary: { enabled: true, weight: 0.4 }, // paper; a flag in the authors' code
  dropPath: 0.3, // paper
  labelSmoothing: 0, // ImageNet's alone
  optimizer: { ...SGD }, // paper; authors' code for the clip
  schedule: "cosine", // paper
  warmupEpochs: 0,
  batchNorm: { ...BATCH_NORM },
  normalisation: { mean: null, std: null },
  augmentation: { cropPadding: 4, flipProbability: 0.5, cutout: 16 }, // paper; cutout a flag in the code
  folder: null,
};

/** What the published training on ImageNet has instead; our choice for any folder of images. */
const IMAGENET = {
  epochs: 250, // paper
  batch: 1024, // paper
  network: "imagenet",
  layers: 14, // paper
  channels: 48, // paper
  dropPath: 0, // authors' default
  labelSmoothing: 0.1, // authors' code
  optimizer: { ...SGD, learningRate: 0.5, weightDecay: 3e-5 }, // paper
  schedule: "linear", // paper; the authors' default
  warmupEpochs: 5, // paper; the authors' code has it with batches over 256
  augmentation: { ...FOLDER_AUGMENTATION },
  folder: { ...IMAGENET_FOLDER },
} satisfies Partial<TrainingConfig>;

/** What the authors' code has by default, and the paper otherwise. */
const AUTHORS_IMAGENET = {
  batch: 256,
  optimizer: { ...IMAGENET.optimizer, learningRate: 0.1 },
  warmupEpochs: 0,
} satisfies Partial<TrainingConfig>;

/** Ours: sized to end within minutes on two CPU cores. */
const QUICK = {
  epochs: 3,
  batch: 64,
  trainImages: 10_000,
  testImages: 2_000,
  layers: 8,
  channels: 8,
  dropPath: 0,
  augmentation: { cropPadding: 4, flipProbability: 0.5, cutout: 0 },
} satisfies Partial<TrainingConfig>;

/** What `quick` has on a folder of images instead; the auxiliary head wants larger images. */
const QUICK_IMAGENET = {
  trainImages: 2_000,
  testImages: 500,
  batch: 32,
  layers: 6,
  auxiliary: { enabled: false, weight: 0.4 },
  optimizer: { ...SGD },
  schedule: "cosine",
  warmupEpochs: 0,
  folder: { ...QUICK_FOLDER },
} satisfies Partial<TrainingConfig>;

/**
 * The config of a preset, of PDARTS.
 *
 * @throws {RangeError} If the preset or the data set is unknown.
 */
export function trainingConfig(
  preset: string = PRESETS[0],
  dataset: string = EVALUATION_DATASETS[0],
): TrainingConfig {
  const named = {
    preset: oneOf(PRESETS, { option: "preset", value: preset }),
    dataset: oneOf(EVALUATION_DATASETS, { option: "dataset", value: dataset }),
  };
  const folder = isFolder(dataset);
  return structuredClone({
    ...PAPER,
    ...folder ? IMAGENET : {},
    ...folder && preset === "authors" ? AUTHORS_IMAGENET : {},
    ...preset === "quick" ? QUICK : {},
    ...folder && preset === "quick" ? QUICK_IMAGENET : {},
    ...folder ? { augmentation: FOLDER_AUGMENTATION } : {},
    ...named,
  });
}

/** A config as read from a run, of an earlier version too: what it lacks is as it was then, on CIFAR. */
export function completeConfig(config: TrainingConfig): TrainingConfig {
  return { ...trainingConfig(config.preset), ...config };
}

/** A preset's config with no more images than there are; numbers that a person gave stay. */
export function fitted(
  config: TrainingConfig,
  { given, train, test }: { given: Readonly<Record<string, unknown>>; train: number; test: number },
): TrainingConfig {
  if (config.preset !== "quick") return config;
  const { trainImages, testImages, batch } = config;
  const most = (value: number | null, count: number, name: string) =>
    name in given || value === null ? value : Math.min(value, count);
  const images = most(trainImages, train, "train-images");
  return {
    ...config,
    trainImages: images,
    testImages: most(testImages, test, "test-images"),
    batch: most(batch, images ?? train, "batch")!,
  };
}
