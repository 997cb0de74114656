/**
 * The auxiliary head of the CIFAR network, in training only: ReLU, average pool 5 of stride 3, 1x1
 * convolution to 128, BN, ReLU, 2x2 convolution to 768, BN, ReLU, linear.
 *
 * The 2x2 convolution covers its whole input, so that it is a pointwise one of the four pixels side by
 * side.
 *
 * Source: arXiv 1904.12760, section 4.3, after the networks of arXiv 1806.09055.
 */

import * as tf from "@tensorflow/tfjs-core";
import { normalisedSum } from "../backends/ops/normalised_sum.ts";
import { type ForwardMode, type NormedBranch, normedBranches } from "../nn/batch_norm.ts";
import type { BatchNorm, Parameters } from "../nn/parameters.ts";
import { averageWindows } from "./taps.ts";

/** Channels behind the 1x1 and the 2x2 convolution. */
const SQUEEZED = 128, FEATURES = 768;
/** Side of the pooled image. */
const SIDE = 2;
const POOL = { kernel: 5, stride: 3 };

/** The head, with its parameters. */
export class AuxiliaryHead {
  readonly #squeeze: NormedBranch;
  readonly #filter: tf.Tensor4D;
  readonly #norm: BatchNorm;
  readonly #classifier: ReturnType<Parameters["linear"]>;

  /** Makes the parameters of a head on `inputs` channels. */
  constructor(
    parameters: Parameters,
    { inputs, classes }: { inputs: number; classes: number },
  ) {
    const features = "auxiliary_head.features";
    this.#squeeze = {
      branch: {
        kind: "pointwise",
        filter: parameters.convolution(`${features}.2.weight`, [SQUEEZED, inputs, 1, 1]),
      },
      norm: parameters.batchNorm(`${features}.3`, { channels: SQUEEZED, affine: true }),
    };
    this.#filter = parameters.convolution(`${features}.5.weight`, [FEATURES, SQUEEZED, SIDE, SIDE]);
    this.#norm = parameters.batchNorm(`${features}.6`, { channels: FEATURES, affine: true });
    this.#classifier = parameters.linear("auxiliary_head.classifier", {
      inputs: FEATURES,
      outputs: classes,
    });
  }

  /**
   * Computes the auxiliary logits.
   *
   * @param x `[N, 8, 8, inputs]` float32, or other sides that pool to 2.
   * @returns `[N, classes]` float32. The caller disposes, or tidies.
   * @throws {RangeError} If the image does not pool to 2x2.
   */
  forward(x: tf.Tensor4D, mode: ForwardMode): tf.Tensor2D {
    const batch = x.shape[0], pooled = averageWindows(tf.relu(x), POOL);
    if (pooled.shape[1] !== SIDE || pooled.shape[2] !== SIDE) {
      throw new RangeError(
        `Cannot run the auxiliary head: got ${x.shape[1]}x${x.shape[2]} pixels, ` +
          `which do not pool to ${SIDE}x${SIDE}`,
      );
    }
    const squeezed = normalisedSum(normedTerms(pooled, this.#squeeze, { mode }));
    const width = SIDE * SIDE * SQUEEZED;
    const collapse: NormedBranch = {
      branch: { kind: "pointwise", filter: tf.reshape(this.#filter, [1, 1, width, FEATURES]) },
      norm: this.#norm,
    };
    const side: tf.Tensor4D = tf.reshape(squeezed, [batch, 1, 1, width]);
    const features = normalisedSum(normedTerms(side, collapse, { mode, activation: "relu" }));
    const { weight, bias } = this.#classifier;
    const active: tf.Tensor2D = tf.relu(tf.reshape(features, [batch, FEATURES]));
    return tf.add(tf.matMul(active, weight), bias);
  }
}

function normedTerms(
  x: tf.Tensor4D,
  spec: NormedBranch,
  options: { mode: ForwardMode; activation?: "relu" },
) {
  return normedBranches(x, [spec], options).map(({ y, affine }) => ({ x: y, affine }));
}
