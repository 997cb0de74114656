/**
 * The table of the options that are the search's own numbers: each names one place of
 * {@linkcode SearchConfig}, so that parser, help, config and comparison follow from it.
 */

import {
  choice,
  decimal,
  integer,
  list,
  type OptionSpec,
  type ValueType,
} from "../nn/command_line.ts";
import { SEARCH_DATASETS } from "./config.ts";

/** An option that sets a number of the search. */
export interface SearchOption extends OptionSpec {
  /** Its place in the config, such as `weights.clip`; one value per stage where it is `stages.*.`. */
  readonly key: string;
}

const STAGES = 3;
const RATE = decimal({ min: 0, max: 1, below: true });
const NOT_NEGATIVE = decimal({ min: 0 });
const CHANNELS = 3;

function group(
  name: string,
  rows: [name: string, key: string, type: ValueType<unknown>, help: string][],
) {
  return rows.map(([option, key, type, help]) => ({ name: option, key, type, help, group: name }));
}

/** In the order of the help. */
export const SEARCH_OPTIONS: readonly SearchOption[] = [
  ...group("Search:", [
    ["dataset", "dataset", choice(SEARCH_DATASETS), "data set"],
    ["seed", "seed", integer({ min: 0 }), "seed of every random number"],
    ["epochs", "epochs", integer({ min: 1 }), "epochs per stage"],
    [
      "alpha-from-epoch",
      "alphaFromEpoch",
      integer({ min: 0 }),
      "epochs of a stage that train weights alone",
    ],
    [
      "validation-epochs",
      "validationEpochs",
      integer({ min: 0 }),
      "last epochs of a stage with a validation",
    ],
    ["batch", "batch", integer({ min: 1 }), "images per step"],
    ["channels", "channels", integer({ min: 2, even: true }), "initial channels"],
    [
      "train-share",
      "trainShare",
      decimal({ min: 0, above: true, max: 1, below: true }),
      "share of the training set that trains weights; the rest trains alphas",
    ],
    ["train-images", "trainImages", integer({ min: 1 }), "images of each of the two parts to use"],
    ["max-skips", "maxSkips", integer({ min: 0, max: 8 }), "skips in the normal cell to keep"],
  ]),
  ...group("Stages, one value for each of the three:", [
    ["layers", "stages.*.layers", list(integer({ min: 3 }), STAGES), "cells"],
    [
      "added-channels",
      "stages.*.addedChannels",
      list(integer({ min: 0, even: true }), STAGES),
      "width added to the initial channels",
    ],
    ["skip-dropout", "stages.*.skipDropout", list(RATE, STAGES), "first dropout rate after skips"],
    [
      "drop",
      "stages.*.drop",
      list(integer({ min: 0, max: 7 }), STAGES),
      "primitives that leave each edge, 7 in all",
    ],
  ]),
  ...group("Network:", [
    [
      "skip-dropout-decay",
      "skipDropoutDecay",
      NOT_NEGATIVE,
      "decay of the skip dropout per epoch that trains alphas",
    ],
    [
      "batch-norm-epsilon",
      "batchNorm.epsilon",
      decimal({ min: 0, above: true }),
      "added to a variance before its root",
    ],
    [
      "batch-norm-momentum",
      "batchNorm.momentum",
      decimal({ min: 0, max: 1 }),
      "weight of the newest batch in running statistics",
    ],
  ]),
  ...group("Weights (SGD, cosine):", [
    ["learning-rate", "weights.learningRate", NOT_NEGATIVE, "learning rate at epoch 0"],
    ["minimum-learning-rate", "weights.minimumLearningRate", NOT_NEGATIVE, "where the cosine ends"],
    ["momentum", "weights.momentum", RATE, "momentum"],
    ["weight-decay", "weights.weightDecay", NOT_NEGATIVE, "weight decay"],
    ["clip", "weights.clip", NOT_NEGATIVE, "largest norm of all gradients"],
  ]),
  ...group("Architecture parameters (Adam):", [
    [
      "alpha-initial-deviation",
      "alphas.initialDeviation",
      NOT_NEGATIVE,
      "standard deviation of the initial alphas",
    ],
    ["alpha-learning-rate", "alphas.learningRate", NOT_NEGATIVE, "learning rate"],
    ["alpha-beta1", "alphas.beta1", RATE, "decay of the mean"],
    ["alpha-beta2", "alphas.beta2", RATE, "decay of the mean square"],
    ["alpha-epsilon", "alphas.epsilon", NOT_NEGATIVE, "epsilon"],
    ["alpha-weight-decay", "alphas.weightDecay", NOT_NEGATIVE, "weight decay"],
    ["alpha-clip", "alphas.clip", NOT_NEGATIVE, "largest norm of all gradients"],
  ]),
  ...group("Images:", [
    [
      "mean",
      "normalisation.mean",
      list(decimal({ min: 0, max: 1 }), CHANNELS),
      "subtracted from red, green, blue in 0..1",
    ],
    [
      "std",
      "normalisation.std",
      list(decimal({ min: 0, above: true }), CHANNELS),
      "what they are then divided by",
    ],
    [
      "crop-padding",
      "augmentation.cropPadding",
      integer({ min: 0, max: 32 }),
      "zeros around an image before its random crop, in pixels",
    ],
    [
      "flip-probability",
      "augmentation.flipProbability",
      decimal({ min: 0, max: 1 }),
      "share of mirrored images",
    ],
    [
      "cutout",
      "augmentation.cutout",
      integer({ min: 0, max: 32 }),
      "side of the square cut out, in pixels",
    ],
  ]),
];
