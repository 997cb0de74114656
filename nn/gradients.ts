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
import { freeTape, recordTape, type TapeNode } from "./tape.ts";

/** What a backward pass knows: gradients so far, by the ids of their tensors, and whose are wanted. */
interface Flow {
  readonly gradients: Map<number, tf.Tensor>;
  readonly sources: ReadonlySet<number>;
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
  const { value, tape } = recordTape(loss);
  try {
    return { loss: value, gradients: differentiate(value, variables, tape) };
  } catch (error) {
    value.dispose();
    throw error;
  } finally {
    freeTape(tape);
  }
}

function differentiate(
  loss: tf.Scalar,
  variables: readonly tf.Variable[],
  tape: readonly TapeNode[],
): tf.Tensor[] {
  return tf.tidy(() => {
    const gradients = new Map<number, tf.Tensor>([[loss.id, tf.onesLike(loss)]]);
    pullBackAll(tape, { gradients, sources: new Set(variables.map(({ id }) => id)) });
    return variables.map(({ id }, index) => {
      const gradient = gradients.get(id);
      if (gradient) return gradient;
      throw new Error(`Cannot differentiate: the loss does not depend on variable ${index}`);
    });
  });
}

/** Goes back over a tape, and frees what its ops saved. */
function pullBackAll(tape: readonly TapeNode[], { gradients, sources }: Flow): void {
  const wanted = dependents(sources, tape);
  for (const node of tape.toReversed()) {
    const used = node.outputs.some(({ id }) => gradients.has(id));
    if (used && node.outputs.some(({ id }) => wanted.has(id))) {
      if (node.again) pullBackAgain(node, { gradients, sources, wanted });
      else pullBack(node, { gradients, wanted });
    }
    freeTape([node]);
  }
}

/** Ids of the sources and of all tensors that depend on one. */
function dependents(sources: ReadonlySet<number>, tape: readonly TapeNode[]): Set<number> {
  const ids = new Set(sources);
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
  { gradients, wanted }: { gradients: Flow["gradients"]; wanted: ReadonlySet<number> },
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

/**
 * Computes a piece of the network again, and goes back over its own ops. Gradients that others have
 * already added up for its inputs go on adding up there, in the order that a single tape would have.
 */
function pullBackAgain(
  { inputs, outputs, saved = [], again }: TapeNode,
  { gradients, sources, wanted }: Flow & { wanted: ReadonlySet<number> },
): void {
  const { value, tape } = recordTape(() => again!(saved));
  try {
    tf.dispose(value); // whoever used them has taken what it needs
    const originals = Object.values(inputs);
    const ownSources = saved.filter((_, index) => wanted.has(originals[index].id))
      .map(({ id }) => id);
    rename(gradients, { from: outputs, to: value });
    rename(gradients, { from: originals, to: saved });
    pullBackAll(tape, { gradients, sources: new Set([...sources, ...ownSources]) });
    rename(gradients, { from: saved, to: originals });
  } finally {
    freeTape(tape);
  }
}

/** Makes gradients of some tensors those of others. */
function rename(
  gradients: Flow["gradients"],
  { from, to }: { from: readonly tf.Tensor[]; to: readonly tf.Tensor[] },
): void {
  from.forEach(({ id }, index) => {
    const gradient = gradients.get(id);
    if (!gradient) return;
    gradients.delete(id);
    gradients.set(to[index].id, gradient);
  });
}
