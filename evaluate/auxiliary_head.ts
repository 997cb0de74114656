/**
 * The auxiliary head, in training only: ReLU, average pool 5 of stride 3, 1x1 convolution to 128, BN, ReLU,
 * 2x2 convolution to 768, BN, ReLU, linear. ImageNet's pool has stride 2, and no BN follows the 2x2
 * convolution, which its authors left out. On images larger than the published ones the 2x2 convolution
 * leaves more than one pixel; the mean of them goes on.
 *
 * The 1x1 convolution runs in front of the pool, which changes no result but by rounding, so that the
 * ReLU is that of `branches`; its norm comes behind a product by the identity, which gives the moments.
 * The 2x2 convolution is a pointwise one of the four pixels of its windows side by side.
 *
 * Source: arXiv 1904.12760, section 4.3, after the networks of arXiv 1806.09055.
 */

import * as tf from "@tensorflow/tfjs-core";
import { globalAveragePool } from "../backends/ops/global_average_pool.ts";
import { normalisedSum } from "../backends/ops/normalised_sum.ts";
import { type ForwardMode, type NormedBranch, normedBranches } from "../nn/batch_norm.ts";
import type { BatchNorm, Parameters } from "../nn/parameters.ts";
import type { NetworkKind } from "../nn/stem.ts";
import { averageWindows, windowPixels } from "./taps.ts";

/** Channels behind the 1x1 and the 2x2 convolution. */
const SQUEEZED = 128, FEATURES = 768;
/** Side of the second convolution's windows. */
const SIDE = 2;
/** Side of the pool's windows. */
const POOL = 5;
/** What the heads differ in. */
const HEADS = {
  cifar: { stride: 3, secondNorm: true },
  imagenet: { stride: 2, secondNorm: false },
} satisfies Record<NetworkKind, { stride: number; secondNorm: boolean }>;

/** The head, with its parameters. */
export class AuxiliaryHead {
  readonly #squeeze: NormedBranch;
  readonly #squeezeNorm: BatchNorm;
  readonly #filter: tf.Tensor4D;
  readonly #norm: BatchNorm | undefined;
  readonly #classifier: ReturnType<Parameters["linear"]>;
  readonly #stride: number;

  /** Makes the parameters of a head on `inputs` channels. */
  constructor(
    parameters: Parameters,
    { inputs, classes, network = "cifar" }: {
      inputs: number;
      classes: number;
      network?: NetworkKind;
    },
  ) {
    const { stride, secondNorm } = HEADS[network];
    this.#stride = stride;
    const features = "auxiliary_head.features";
    this.#squeeze = {
      branch: {
        kind: "pointwise",
        filter: parameters.convolution(`${features}.2.weight`, [SQUEEZED, inputs, 1, 1]),
      },
    };
    this.#squeezeNorm = parameters.batchNorm(`${features}.3`, { channels: SQUEEZED, affine: true });
    this.#filter = parameters.convolution(`${features}.5.weight`, [FEATURES, SQUEEZED, SIDE, SIDE]);
    this.#norm = secondNorm
      ? parameters.batchNorm(`${features}.6`, { channels: FEATURES, affine: true })
      : undefined;
    this.#classifier = parameters.linear("auxiliary_head.classifier", {
      inputs: FEATURES,
      outputs: classes,
    });
  }

  /**
   * Computes the auxiliary logits.
   *
   * @param x `[N, H, W, inputs]` float32, of 8x8 pixels or more, or of 7x7 for ImageNet.
   * @returns `[N, classes]` float32. The caller disposes, or tidies.
   * @throws {RangeError} If the image pools to less than 2x2.
   */
  forward(x: tf.Tensor4D, mode: ForwardMode): tf.Tensor2D {
    const [, height, width] = x.shape, smallest = POOL + (SIDE - 1) * this.#stride;
    if (Math.min(height, width) < smallest) {
      throw new RangeError(
        `Cannot run the auxiliary head: want ${smallest}x${smallest} pixels in front of it, ` +
          `got ${height}x${width}; it needs larger images`,
      );
    }
    const [{ y }] = normedBranches(x, [this.#squeeze], { mode, activation: "relu" });
    const pooled = averageWindows(y, { kernel: POOL, stride: this.#stride });
    const identity: tf.Tensor4D = tf.reshape(tf.eye(SQUEEZED), [1, 1, SQUEEZED, SQUEEZED]);
    const squeezed = normalised(pooled, { filter: identity, norm: this.#squeezeNorm, mode });
    const features = normalised(windowPixels(squeezed, SIDE), {
      filter: tf.reshape(this.#filter, [1, 1, SIDE * SIDE * SQUEEZED, FEATURES]),
      norm: this.#norm,
      mode,
      activation: "relu",
    });
    const { weight, bias } = this.#classifier;
    return tf.add(tf.matMul(globalAveragePool(tf.relu(features)), weight), bias);
  }
}

/** A pointwise convolution, and the batch norm behind it where there is one. */
function normalised(
  x: tf.Tensor4D,
  { filter, norm, mode, activation }: {
    filter: tf.Tensor4D;
    norm: BatchNorm | undefined;
    mode: ForwardMode;
    activation?: "relu";
  },
): tf.Tensor4D {
  const spec: NormedBranch = { branch: { kind: "pointwise", filter }, norm };
  const [{ y, affine }] = normedBranches(x, [spec], { mode, activation });
  return normalisedSum([{ x: y, affine }]);
}
