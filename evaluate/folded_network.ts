/**
 * A trained network for inference alone: its batch norms are folded into its convolutions, so that a pass
 * reads no running statistics.
 */

import type * as tf from "@tensorflow/tfjs-core";
import { FoldedNorms } from "../nn/folded_norms.ts";
import type { EvaluationNetwork } from "./network.ts";

/** A network in inference. Dispose when done; the network it was made of stays its owner's. */
export interface FoldedNetwork extends Disposable {
  /**
   * Computes the logits.
   *
   * @param images As of {@linkcode EvaluationNetwork.forward}.
   * @returns `[N, classes]` float32. The caller disposes.
   */
  forward(images: tf.Tensor4D): tf.Tensor2D;
}

/** Folds a network as it is when a pass first runs; later changes of its parameters are not seen. */
export function foldNetwork(network: EvaluationNetwork): FoldedNetwork {
  const folded = new FoldedNorms(network.epsilon);
  return {
    forward: (images) => network.forward(images, { folded }).logits,
    [Symbol.dispose]: () => folded.dispose(),
  };
}
