/**
 * Every number of the search, with its source: one config, three presets, and its checks.
 *
 * `authors` is the command of the authors' code, `paper` takes the skip dropout that the paper states
 * for each data set, `quick` is a reduced search that ends within minutes on two CPU cores; it shows the
 * method at work and finds no good cells. On a folder of images they have ImageNet's stem and transforms,
 * and CIFAR's numbers otherwise: nothing else is published. Invariant: a config is plain JSON.
 *
 * Source: arXiv 1904.12760 ("the paper"), and its authors' code where they differ.
 */

import { BATCH_NORM } from "../nn/batch_norm.ts";
import { FOLDER_DATASETS, IMAGENET_FOLDER, isFolder, QUICK_FOLDER } from "../nn/folder_config.ts";
import {
  change,
  type Changes,
  type CommonConfig,
  FOLDER_AUGMENTATION,
  given,
  oneOf,
  SGD,
  type SgdConfig,
} from "../nn/training_config.ts";
import { checkSearchConfig } from "./config_checks.ts";

/** The presets, the default first. */
export const PRESETS = ["authors", "paper", "quick"] as const;
/** Name of a preset. */
export type Preset = typeof PRESETS[number];

/** The data sets of the search. */
export const SEARCH_DATASETS = ["cifar10", "cifar100", ...FOLDER_DATASETS] as const;
/** Name of a data set. */
export type SearchDataset = typeof SEARCH_DATASETS[number];

/** First ids of the forks of the run's seed, so that no two uses share numbers. */
export const RANDOM_STREAMS = {
  initialisation: 1,
  dropout: 2,
  weightOrder: 3,
  alphaOrder: 4,
  augmentation: 5,
  split: 6,
} as const;

/** One stage. */
export interface StageConfig {
  /** Cells of its network. */
  layers: number;
  /** Channels added to the initial ones. */
  addedChannels: number;
  /** Initial dropout rate behind skips, in [0, 1); with 0 the supernet has no dropout at all. */
  skipDropout: number;
  /** Primitives that leave each edge at its end. */
  drop: number;
}

/** Adam of the alphas, and where they start. */
export interface AlphaOptimizerConfig {
  /** Standard deviation of the initial alphas. */
  initialDeviation: number;
  /** Constant. */
  learningRate: number;
  /** Decay of the mean gradient, in [0, 1). */
  beta1: number;
  /** Decay of the mean squared gradient, in [0, 1). */
  beta2: number;
  /** Added to the root of that mean. */
  epsilon: number;
  /** Added to the gradient, times the alpha. */
  weightDecay: number;
  /** Largest global norm of the gradients. */
  clip: number;
}

/** A whole search. */
export interface SearchConfig extends CommonConfig {
  /** Where the defaults came from. */
  preset: Preset;
  /** What is searched on. */
  dataset: SearchDataset;
  /** Of every random number. */
  seed: number;
  /** Per stage. */
  epochs: number;
  /** First epoch that trains alphas; before it weights train alone, in all epochs if there are fewer. */
  alphaFromEpoch: number;
  /** Last epochs of a stage that end with a validation; all where there are fewer. */
  validationEpochs: number;
  /** Images per step. */
  batch: number;
  /** Channels of the first cells' states. */
  channels: number;
  /** Share of the training set, its first images or of a folder as drawn, for weights; the rest for alphas. */
  trainShare: number;
  /** Images used of each of these two parts; null for all. */
  trainImages: number | null;
  /** Skips that the chosen genotype's normal cell may hold. */
  maxSkips: number;
  /** Decay per epoch of the exponent of the skip dropout, once alphas are trained. */
  skipDropoutDecay: number;
  /** The stages in order. */
  stages: StageConfig[];
  /** How weights are trained. */
  weights: SgdConfig;
  /** How alphas are trained. */
  alphas: AlphaOptimizerConfig;
}

/** The authors' command. */
const AUTHORS: SearchConfig = {
  preset: "authors",
  dataset: "cifar10", // paper, section 4.1
  seed: 2, // authors' default
  epochs: 25, // paper, section 4.2
  alphaFromEpoch: 10, // paper, section 4.2: the first 10 epochs of a stage tune weights only
  validationEpochs: 5, // authors' code
  batch: 96, // paper, section 4.2
  network: "cifar",
  channels: 16, // paper, section 4.2
  trainShare: 0.5, // paper, section 4.2
  trainImages: null,
  maxSkips: 2, // paper, section 3.3; authors' recommendation
  skipDropoutDecay: 0.2, // authors' code
  stages: [ // layers: paper, section 4.2; dropout and drops: authors' command
    { layers: 5, addedChannels: 0, skipDropout: 0.1, drop: 3 },
    { layers: 11, addedChannels: 0, skipDropout: 0.4, drop: 2 },
    { layers: 17, addedChannels: 0, skipDropout: 0.7, drop: 2 },
  ],
  weights: { ...SGD },
  alphas: { // paper, section 4.2; authors' code for the clip and the initial deviation
    initialDeviation: 1e-3,
    learningRate: 6e-4,
    beta1: 0.5,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 1e-3,
    clip: 5,
  },
  batchNorm: { ...BATCH_NORM },
  normalisation: { mean: null, std: null },
  augmentation: { cropPadding: 4, flipProbability: 0.5, cutout: 0 }, // authors' code
  folder: null,
};

/** What a folder of images has instead. */
const FOLDER = {
  network: "imagenet",
  augmentation: { ...FOLDER_AUGMENTATION },
  folder: { ...IMAGENET_FOLDER },
} satisfies Partial<SearchConfig>;

/** Skip dropout per stage, paper, section 4.2; a folder of images has CIFAR-10's. */
const PAPER_SKIP_DROPOUT: Partial<Record<SearchDataset, readonly number[]>> & {
  readonly cifar10: readonly number[];
} = {
  cifar10: [0, 0.4, 0.7],
  cifar100: [0.1, 0.2, 0.3],
};

/** Ours: sized so that three stages end within minutes on two CPU cores. */
const QUICK = {
  epochs: 4,
  alphaFromEpoch: 2,
  validationEpochs: 1,
  batch: 64,
  channels: 8,
  trainImages: 512,
  layers: [4, 6, 8],
};

/** The parts of a config that are changed number by number. */
const PARTS = ["weights", "alphas", "batchNorm", "normalisation", "augmentation"] as const;

/** Changes to a preset; per-stage lists have one value per stage. */
export type SearchOverrides =
  & Changes<
    Omit<SearchConfig, "preset" | "stages">,
    "weights" | "alphas" | "batchNorm" | "normalisation" | "augmentation"
  >
  & { [Key in keyof StageConfig]?: readonly StageConfig[Key][] };

/**
 * The config of a preset with changes, checked.
 *
 * @throws {RangeError} If the preset or the data set is unknown, a list has not one value per stage, or
 *   as {@linkcode checkSearchConfig}.
 */
export function searchConfig(
  preset: string = "authors",
  overrides: SearchOverrides = {},
): SearchConfig {
  const config = presetConfig(preset, overrides.dataset ?? "cifar10");
  const { layers, addedChannels, skipDropout, drop, ...others } = given(overrides);
  change(config, others, PARTS);
  for (const [key, values] of Object.entries({ layers, addedChannels, skipDropout, drop })) {
    if (values === undefined) continue;
    if (values.length !== config.stages.length) {
      throw new RangeError(
        `Cannot search with ${key} ${values}: want ${config.stages.length} values, one per stage`,
      );
    }
    config.stages.forEach((stage, index) => Object.assign(stage, { [key]: values[index] }));
  }
  checkSearchConfig(config);
  return config;
}

function presetConfig(preset: string, dataset: string): SearchConfig {
  const config = structuredClone(AUTHORS);
  config.preset = oneOf(PRESETS, { option: "preset", value: preset });
  config.dataset = oneOf(SEARCH_DATASETS, { option: "dataset", value: dataset });
  if (isFolder(dataset)) Object.assign(config, structuredClone(FOLDER));
  if (preset === "paper") {
    const rates = PAPER_SKIP_DROPOUT[config.dataset] ?? PAPER_SKIP_DROPOUT.cifar10;
    config.stages.forEach((stage, index) => stage.skipDropout = rates[index]);
  }
  if (preset === "quick") {
    const { layers, ...reduced } = QUICK;
    Object.assign(config, reduced);
    if (config.folder) config.folder = { ...QUICK_FOLDER };
    config.stages.forEach((stage, index) => stage.layers = layers[index]);
  }
  return config;
}

/** A config as read from a run, of an earlier version too: what it lacks is as it was then, on CIFAR. */
export function completeConfig(config: SearchConfig): SearchConfig {
  return { ...searchConfig(config.preset), ...config };
}

/** A preset's config with no more images than each part has; numbers that a person gave stay. */
export function fitted(
  config: SearchConfig,
  { given, images }: { given: Readonly<Record<string, unknown>>; images: number },
): SearchConfig {
  if (config.preset !== "quick") return config;
  const { trainImages, batch } = config;
  const used = "train-images" in given || trainImages === null
    ? trainImages
    : Math.min(trainImages, images);
  return {
    ...config,
    trainImages: used,
    batch: "batch" in given ? batch : Math.min(batch, used ?? images),
  };
}
