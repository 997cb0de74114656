/**
 * The stem for ImageNet, to an eighth of the images' sides: stem0 is a 3x3 convolution of stride 2 to half
 * the cells' channels, BN, ReLU, another to the channels, BN; stem1 is ReLU, a third, BN. Cell 0 reads
 * stem0, which it reduces, and stem1.
 *
 * Invariant: stem0's results are never stored behind their batch norms; all that reads its last one is one
 * op, where its gradients meet.
 */

import type * as tf from "@tensorflow/tfjs-core";
import { normalisedSum } from "../backends/ops/normalised_sum.ts";
import { type ForwardMode, type NormedBranch, normedBranches } from "./batch_norm.ts";
import { type ChainedCell, consumersOf, prepareStates } from "./cell_chain.ts";
import { denseConvolution } from "./cell_operations.ts";
import type { Parameters } from "./parameters.ts";
import type { Stem } from "./stem.ts";

/** The stem: stem0 stands for the output of the last cell but one, stem1 for that of the last. */
export class ImageNetStem implements Stem {
  readonly outputs: readonly [number, number];
  readonly reduces = true;
  /** The three convolutions, in order. */
  readonly #convolutions: readonly [NormedBranch, NormedBranch, NormedBranch];

  /** Makes the parameters, for cells that begin with `channels` channels, an even number. */
  constructor(parameters: Parameters, channels: number) {
    const convolution = (names: [string, string], inputs: number, outputs: number) =>
      denseConvolution(parameters, { names, inputs, outputs, stride: 2 });
    this.outputs = [channels, channels];
    this.#convolutions = [
      convolution(["stem0.0", "stem0.1"], 3, channels / 2),
      convolution(["stem0.3", "stem0.4"], channels / 2, channels),
      convolution(["stem1.1", "stem1.2"], channels, channels),
    ];
  }

  states(
    images: tf.Tensor4D,
    { cells, mode }: { cells: readonly ChainedCell[]; mode: ForwardMode },
  ): tf.Tensor4D[] {
    const [first, second, third] = this.#convolutions;
    const [half] = normedBranches(images, [first], { mode, inputGradient: false });
    const [quarter] = normedBranches(half.y, [second], {
      mode,
      activation: "relu",
      affine: half.affine,
    });
    const [older, newer] = normedBranches(quarter.y, [cells[0].preprocess[0], third], {
      mode,
      activation: "relu",
      affine: quarter.affine,
    }).map(({ y, affine }) => normalisedSum([{ x: y, affine }]));
    return [
      older,
      ...prepareStates(newer, { cells, consumers: consumersOf(-1, cells.length), mode }),
    ];
  }
}
