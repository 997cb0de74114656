/**
 * The gradient of a loss by a list of variables, over tfjs's tape.
 *
 * tfjs's own backward pass frees nothing before its end and looks through all variables for every input
 * of every op; a supernet has a thousand variables and keeps gigabytes. This one takes time in
 * proportion to the tape, and frees a gradient, and what an op saved, as soon as both were used: the
 * peak is little above what the forward pass saved. When a pass throws, for lack of memory most likely,
 * nothing stays behind. First order only.
 */

import * as tf from "@tensorflow/tfjs-core";
import "../backends/ops/fused.ts"; // registers tfjs-core's own gradients

/** A recorded op, as tfjs keeps it. */
interface TapeNode {
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly outputs: readonly tf.Tensor[];
  /** Clones that the gradient reads. */
  readonly saved?: readonly tf.Tensor[];
  readonly gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
}

/** The parts of tfjs's engine that record a tape. */
interface TapeEngine {
  startTape(): void;
  endTape(): void;
  readonly state: { activeTape: TapeNode[] | null; readonly gradientDepth: number };
}

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
  const engine = tf.engine() as unknown as TapeEngine;
  let tape: TapeNode[] = [];
  engine.startTape();
  try {
    let value: tf.Scalar;
    try {
      value = tf.tidy(loss);
    } finally {
      engine.endTape();
      tape = engine.state.activeTape ?? [];
    }
    try {
      return { loss: value, gradients: differentiate(value, variables, tape) };
    } catch (error) {
      value.dispose();
      throw error;
    }
  } finally {
    for (const node of tape) tf.dispose([...(node.saved ?? [])]);
    if (engine.state.gradientDepth === 0) engine.state.activeTape = null;
  }
}

function differentiate(
  loss: tf.Scalar,
  variables: readonly tf.Variable[],
  tape: readonly TapeNode[],
): tf.Tensor[] {
  const wanted = dependents(variables, tape);
  return tf.tidy(() => {
    const gradients = new Map<number, tf.Tensor>([[loss.id, tf.onesLike(loss)]]);
    for (const node of tape.toReversed()) {
      const used = node.outputs.some(({ id }) => gradients.has(id));
      if (used && node.outputs.some(({ id }) => wanted.has(id))) {
        pullBack(node, { gradients, wanted });
      }
      tf.dispose([...(node.saved ?? [])]);
    }
    return variables.map(({ id }, index) => {
      const gradient = gradients.get(id);
      if (gradient) return gradient;
      throw new Error(`Cannot differentiate: the loss does not depend on variable ${index}`);
    });
  });
}

/** Ids of all tensors that depend on a variable. */
function dependents(variables: readonly tf.Variable[], tape: readonly TapeNode[]): Set<number> {
  const ids = new Set(variables.map(({ id }) => id));
  for (const { inputs, outputs } of tape) {
    if (Object.values(inputs).some(({ id }) => ids.has(id))) {
      for (const { id } of outputs) ids.add(id);
    }
  }
  return ids;
}

/** Turns the gradients of an op's outputs into gradients of its inputs, and frees the former. */
function pullBack(
  { inputs, outputs, gradient }: TapeNode,
  { gradients, wanted }: { gradients: Map<number, tf.Tensor>; wanted: Set<number> },
): void {
  if (!gradient) throw new Error("Cannot differentiate: an op of the loss has no gradient");
  const dys = outputs.map(({ id }) => gradients.get(id) ?? null);
  const names = Object.keys(inputs).filter((name) => wanted.has(inputs[name].id));
  const results = tf.tidy(() => {
    const makers = gradient(dys);
    // A gradient function may hand on dy itself, which is freed below.
    return names.map((name) => tf.tidy(() => tf.clone(makers[name]())));
  });
  for (const { id } of outputs) {
    gradients.get(id)?.dispose();
    gradients.delete(id);
  }
  names.forEach((name, index) => {
    const { id } = inputs[name], former = gradients.get(id);
    gradients.set(id, former ? tf.add(former, results[index]) : results[index]);
    if (former) tf.dispose([former, results[index]]);
  });
}
