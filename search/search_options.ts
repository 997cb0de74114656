/**
 * The table of the options that are the search's own numbers: each names one place of
 * {@linkcode SearchConfig}, so that parser, help, config and comparison follow from it.
 */

import { decimal, integer, list } from "../nn/command_line.ts";
import {
  BATCH_NORM_ROWS,
  type ConfigOption,
  datasetRow,
  IMAGE_OPTIONS,
  NETWORK_ROW,
  optionGroup,
  sgdOptions,
} from "../nn/config_options.ts";
import { FOLDER_OPTIONS } from "../nn/folder_options.ts";
import { SEARCH_DATASETS } from "./config.ts";

const STAGES = 3;
const RATE = decimal({ min: 0, max: 1, below: true });
const NOT_NEGATIVE = decimal({ min: 0 });

/** In the order of the help. */
export const SEARCH_OPTIONS: readonly ConfigOption[] = [
  ...optionGroup("Search:", [
    datasetRow(SEARCH_DATASETS),
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
    ["train-images", "trainImages", integer({ min: 1 }), "images of each of the two parts to use", {
      unset: "all",
    }],
    ["max-skips", "maxSkips", integer({ min: 0, max: 8 }), "skips in the normal cell to keep"],
  ]),
  ...optionGroup("Stages, one value for each of the three:", [
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
  ...optionGroup("Network:", [
    NETWORK_ROW,
    [
      "skip-dropout-decay",
      "skipDropoutDecay",
      NOT_NEGATIVE,
      "decay of the skip dropout per epoch that trains alphas",
    ],
    ...BATCH_NORM_ROWS,
  ]),
  ...sgdOptions("weights"),
  ...optionGroup("Architecture parameters (Adam):", [
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
  ...IMAGE_OPTIONS,
];

/** All options that reach the result. */
export const ALL_SEARCH_OPTIONS: readonly ConfigOption[] = [...SEARCH_OPTIONS, ...FOLDER_OPTIONS];
