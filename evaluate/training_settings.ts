/** What training an evaluation network depends on. */

import type { BatchNormConfig } from "../nn/batch_norm.ts";
import type { Genotype } from "../nn/genotypes.ts";
import type { MemoryMode } from "../nn/recompute.ts";
import type { Schedule } from "../nn/schedules.ts";
import type { NetworkKind } from "../nn/stem.ts";
import type { SgdConfig } from "../nn/training_config.ts";

/** First ids of the forks of the run's seed, so that no two uses share numbers. */
export const RANDOM_STREAMS = {
  initialisation: 1,
  dropPath: 2,
  order: 3,
  augmentation: 4,
} as const;

/** The auxiliary head. */
export interface AuxiliaryConfig {
  /** Whether there is one. */
  enabled: boolean;
  /** Of its loss, beside the main one's. */
  weight: number;
}

/** All that the training depends on. */
export interface TrainingSettings {
  /** Of the whole run. */
  seed: number;
  /** The cells. */
  genotype: Genotype;
  /** Which stem and auxiliary head; default "cifar". */
  network?: NetworkKind;
  /** How many. */
  layers: number;
  /** Channels of the first cells' states. */
  channels: number;
  /** Classes of the data set. */
  classes: number;
  /** How many epochs. */
  epochs: number;
  /** The auxiliary head. */
  auxiliary: AuxiliaryConfig;
  /** Rate of drop path that the epochs go towards, in [0, 1); with 0 there is none. */
  dropPath: number;
  /** How weights are trained. */
  optimizer: SgdConfig;
  /** How the learning rate falls to its minimum; default "cosine". */
  schedule?: Schedule;
  /** Epochs over which it rises first, which is then its share of the schedule's; default 0. */
  warmupEpochs?: number;
  /** Of every batch norm. */
  batchNorm: BatchNormConfig;
  /** Share of the label spread over all classes, in [0, 1). */
  labelSmoothing: number;
  /** Whether cells are computed twice instead of kept for their gradients; default "normal". */
  memory?: MemoryMode;
}
