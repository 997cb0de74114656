/** The stem for CIFAR: a 3x3 convolution to three times the cells' channels, BN. */

import type * as tf from "@tensorflow/tfjs-core";
import { normalisedSum } from "../backends/ops/normalised_sum.ts";
import { type ForwardMode, type NormedBranch, normedBranches } from "./batch_norm.ts";
import { type ChainedCell, prepareStates, stemConsumers } from "./cell_chain.ts";
import { denseConvolution } from "./cell_operations.ts";
import type { Parameters } from "./parameters.ts";
import type { Stem } from "./stem.ts";

/** Channels behind the stem, as a multiple of the cells'. */
const STEM_MULTIPLIER = 3;

/** The stem; what it makes stands for both outputs in front of cell 0. */
export class CifarStem implements Stem {
  readonly outputs: readonly [number, number];
  readonly reduces = false;
  readonly #convolution: NormedBranch;

  /** Makes the parameters, for cells that begin with `channels` channels. */
  constructor(parameters: Parameters, channels: number) {
    const width = STEM_MULTIPLIER * channels;
    this.outputs = [width, width];
    this.#convolution = denseConvolution(parameters, {
      names: ["stem.0", "stem.1"],
      inputs: 3,
      outputs: width,
      stride: 1,
    });
  }

  states(
    images: tf.Tensor4D,
    { cells, mode }: { cells: readonly ChainedCell[]; mode: ForwardMode },
  ): tf.Tensor4D[] {
    const [{ y, affine }] = normedBranches(images, [this.#convolution], {
      mode,
      inputGradient: false,
    });
    const output = normalisedSum([{ x: y, affine }]);
    return prepareStates(output, { cells, consumers: stemConsumers(cells.length), mode });
  }
}
