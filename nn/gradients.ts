/**
 * The gradient of a loss by a list of variables, leaving nothing behind when a pass fails.
 *
 * tfjs keeps what a forward pass saved until the backward pass has ended; one that throws, for lack of
 * memory most likely, would hold all of it for good. The tape is therefore emptied here.
 */

import * as tf from "@tensorflow/tfjs-core";
import "../backends/ops/fused.ts"; // registers tfjs-core's own gradients

/**
 * Runs `loss` under tfjs's tape and differentiates it.
 *
 * @param variables Trainable.
 * @param loss Makes a float32 scalar; other tensors it makes are freed unless kept.
 * @returns The loss, and one gradient per variable in order; the caller disposes all.
 * @throws {Error} If the loss does not depend on a variable, or whatever `loss` throws.
 */
export function lossGradients(
  variables: readonly tf.Variable[],
  loss: () => tf.Scalar,
): { loss: tf.Scalar; gradients: tf.Tensor[] } {
  let result;
  try {
    result = tf.variableGrads(loss, [...variables]);
  } catch (error) {
    emptyTape();
    throw error;
  }
  const gradients = variables.map((variable) => result.grads[variable.name]);
  const missing = gradients.findIndex((gradient) => gradient === undefined);
  if (missing >= 0) {
    tf.dispose([result.value, result.grads]);
    throw new Error(`Cannot differentiate: the loss does not depend on variable ${missing}`);
  }
  return { loss: result.value, gradients };
}

/** Frees what the nodes of an abandoned tape saved. */
function emptyTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0 || !state.activeTape) return;
  for (const node of state.activeTape) {
    for (const tensor of node.saved ?? []) tensor.dispose();
  }
  state.activeTape = [];
}
