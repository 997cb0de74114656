/**
 * Every number of training an evaluation network, with its source: one config and two presets.
 *
 * `paper` is the published training, `quick` a reduced one that ends within minutes on two CPU cores: it
 * shows the program at work and reaches no published accuracy. Invariant: a config is plain JSON.
 *
 * Source: arXiv 1904.12760, section 4.3 ("the paper"), and its authors' code where they differ.
 */

import { BATCH_NORM } from "../nn/batch_norm.ts";
import type { Genotype } from "../nn/genotypes.ts";
import { PDARTS } from "../nn/genotypes.ts";
import { type CommonConfig, oneOf, SGD, type SgdConfig } from "../nn/training_config.ts";
import type { AuxiliaryConfig } from "./training_settings.ts";

/** The presets, the default first. */
export const PRESETS = ["paper", "quick"] as const;
/** Name of a preset. */
export type Preset = typeof PRESETS[number];

/** The data sets of the evaluation. */
export const EVALUATION_DATASETS = ["cifar10", "cifar100"] as const;
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
  /** Of every random number. */
  seed: number;
  /** How many. */
  epochs: number;
  /** Images per step, and per batch of the test. */
  batch: number;
  /** Training images used, the first ones; null for all. */
  trainImages: number | null;
  /** Test images used, the first ones; null for all. */
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
}

/** The published training. */
const PAPER: TrainingConfig = {
  preset: "paper",
  dataset: "cifar10",
  architecture: { source: "PDARTS", skips: null },
  genotype: PDARTS,
  seed: 0, // authors' default
  epochs: 600, // paper
  batch: 128, // paper; the authors' code has it as the default
  trainImages: null,
  testImages: null,
  testEvery: 1, // authors' code
  layers: 20, // paper
  channels: 36, // paper
  auxiliary: { enabled: true, weight: 0.4 }, // paper; a flag in the authors' code
  dropPath: 0.3, // paper
  labelSmoothing: 0, // ImageNet's alone
  optimizer: { ...SGD }, // paper; authors' code for the clip
  batchNorm: { ...BATCH_NORM },
  normalisation: { mean: null, std: null },
  augmentation: { cropPadding: 4, flipProbability: 0.5, cutout: 16 }, // paper; cutout a flag in the code
};

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

/**
 * The config of a preset, of PDARTS on CIFAR-10.
 *
 * @throws {RangeError} If the preset is unknown.
 */
export function trainingConfig(name: string = PRESETS[0]): TrainingConfig {
  const preset = oneOf(PRESETS, { option: "preset", value: name });
  const config = structuredClone(PAPER);
  return preset === "quick" ? { ...config, ...structuredClone(QUICK), preset } : config;
}
