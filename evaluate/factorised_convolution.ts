/**
 * `conv_7x1_1x7` of NASNet and AmoebaNet: ReLU, a 1x7 convolution of stride (1, s), a 7x1 convolution of
 * stride (s, 1), BN. Each convolution is a pointwise one of its windows' pixels side by side, which are
 * made by {@linkcode unfold}; the ReLU comes behind that, for it keeps the padding's zeros.
 *
 * Source: Zoph et al., arXiv 1707.07012, appendix A.
 */

import * as tf from "@tensorflow/tfjs-core";
import {
  type ForwardMode,
  type LazyNorm,
  type NormedBranch,
  normedBranches,
} from "../nn/batch_norm.ts";
import type { Parameters } from "../nn/parameters.ts";
import { unfold } from "./taps.ts";

/** What the operation is told. */
export interface FactorisedShape {
  /** Prefix of its parameters. */
  readonly name: string;
  /** Channels in front and behind. */
  readonly channels: number;
  /** Taps of both windows. */
  readonly kernel: number;
  /** 1 or 2. */
  readonly stride: number;
}

/**
 * Makes the operation's parameters.
 *
 * @returns The operation, on `[N, H, W, C]`.
 */
export function factorisedConvolution(
  parameters: Parameters,
  { name, channels, kernel, stride }: FactorisedShape,
): (input: LazyNorm, mode: ForwardMode) => LazyNorm {
  const filter = (layer: number, sides: readonly [number, number]) =>
    parameters.convolution(`${name}.op.${layer}.weight`, [channels, channels, ...sides]);
  const wide = filter(1, [1, kernel]), high = filter(2, [kernel, 1]);
  const norm = parameters.batchNorm(`${name}.op.3`, { channels, affine: true });
  const pointwise = (weight: tf.Tensor4D): NormedBranch => ({
    branch: { kind: "pointwise", filter: tf.reshape(weight, [1, 1, kernel * channels, channels]) },
  });
  return ({ y }, mode) => {
    const rows = unfold(y, { axis: "width", kernel, stride });
    const [middle] = normedBranches(rows, [pointwise(wide)], { mode, activation: "relu" });
    const columns = unfold(middle.y, { axis: "height", kernel, stride });
    return normedBranches(columns, [{ ...pointwise(high), norm }], { mode })[0];
  };
}
