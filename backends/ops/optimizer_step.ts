/**
 * One step of an optimiser over all parameters at once: global-norm clip, weight decay, update.
 *
 *     g   = gradient min(1, clip / (norm + 1e-6)) + decay p     (norm over all gradients, before decay)
 *     SGD:  m = momentum m + g;  p = p - rate m
 *     Adam: m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
 *           p = p - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 *
 * as torch.optim.SGD, torch.optim.Adam and clip_grad_norm_ compute them. Nothing here is
 * differentiated.
 */

import * as tf from "@tensorflow/tfjs-core";
import { type HostNumber, hostNumber } from "../host_number.ts";
import { hasKernel, runFused } from "./fused.ts";

/** Names of the kernels. Outputs: new parameters, then new slots; the last is the norm, a scalar. */
export const SGD_STEP = "PdartsSgdStep";
export const ADAM_STEP = "PdartsAdamStep";

/** Rates shared by both optimisers. */
export interface StepAttrs {
  learningRate: HostNumber;
  /** Largest global norm of the gradients; Infinity leaves them alone. */
  clip: number;
  weightDecay: number;
}

/** Attributes of {@linkcode SGD_STEP}. Inputs: all parameters, all gradients, all momenta. */
export interface SgdAttrs extends StepAttrs {
  momentum: number;
}

/** Attributes of {@linkcode ADAM_STEP}. Inputs: parameters, gradients, first, then second moments. */
export interface AdamAttrs extends StepAttrs {
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Number of this step, from 1. */
  step: HostNumber;
}

/** New values; the caller disposes all of them. */
export interface StepOutput {
  parameters: tf.Tensor[];
  /** Per slot (momentum; or first and second moment) one tensor per parameter. */
  slots: tf.Tensor[][];
  /** Scalar float32: the global norm of the gradients before clipping. */
  norm: tf.Scalar;
}

/** What a step reads; all float32, one gradient and one tensor per slot for each parameter. */
export interface StepInput {
  parameters: tf.Tensor[];
  gradients: tf.Tensor[];
  slots: tf.Tensor[][];
}

/**
 * One step of SGD with momentum.
 *
 * @throws {RangeError} If the lists, or a parameter and its gradient or slots, differ in size.
 */
export function sgdStep(input: StepInput, attrs: SgdAttrs): StepOutput {
  return step(SGD_STEP, input, {
    attrs,
    slots: 1,
    update: (p, g, [momentum]) => {
      const m = tf.add(tf.mul(momentum, attrs.momentum), g);
      return [tf.sub(p, tf.mul(m, hostNumber(attrs.learningRate))), m];
    },
  });
}

/**
 * One step of Adam.
 *
 * @throws {RangeError} If the lists, or a parameter and its gradient or slots, differ in size.
 */
export function adamStep(input: StepInput, attrs: AdamAttrs): StepOutput {
  const { beta1, beta2, epsilon } = attrs;
  return step(ADAM_STEP, input, {
    attrs,
    slots: 2,
    update: (p, g, [first, second]) => {
      const learningRate = hostNumber(attrs.learningRate), count = hostNumber(attrs.step);
      const correction1 = 1 - beta1 ** count, correction2 = 1 - beta2 ** count;
      const m = tf.add(tf.mul(first, beta1), tf.mul(g, 1 - beta1));
      const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(g), 1 - beta2));
      const root = tf.add(tf.sqrt(tf.div(v, correction2)), epsilon);
      return [tf.sub(p, tf.mul(tf.div(tf.div(m, correction1), root), learningRate)), m, v];
    },
  });
}

type Update = (parameter: tf.Tensor, gradient: tf.Tensor, slots: tf.Tensor[]) => tf.Tensor[];

function step(
  kernelName: string,
  { parameters, gradients, slots }: StepInput,
  rule: { attrs: StepAttrs; slots: number; update: Update },
): StepOutput {
  const count = parameters.length;
  if (slots.length !== rule.slots || [gradients, ...slots].some((list) => list.length !== count)) {
    throw new RangeError(
      `Cannot step ${count} parameters: got ${gradients.length} gradients and slots of ` +
        `${slots.map((slot) => slot.length)}`,
    );
  }
  parameters.forEach((parameter, index) => {
    const other = [gradients, ...slots].find((list) => list[index].size !== parameter.size);
    if (other) {
      throw new RangeError(
        `Cannot step parameter ${index}: want [${parameter.shape}], got [${other[index].shape}]`,
      );
    }
  });
  const outputs = hasKernel(kernelName)
    ? runFused(kernelName, {
      inputs: [...parameters, ...gradients, ...slots.flat()],
      attrs: rule.attrs,
    })
    : tf.tidy(() => compose({ parameters, gradients, slots }, rule));
  return {
    parameters: outputs.slice(0, count),
    slots: slots.map((_, slot) => outputs.slice((slot + 1) * count, (slot + 2) * count)),
    norm: outputs[outputs.length - 1] as tf.Scalar,
  };
}

function compose(
  { parameters, gradients, slots }: StepInput,
  { attrs, update }: { attrs: StepAttrs; update: Update },
): tf.Tensor[] {
  // Not addN: tfjs-backend-webgpu would bind all its inputs at once.
  const norm = tf.sqrt(tf.sum(tf.stack(gradients.map((gradient) => tf.sum(tf.square(gradient))))));
  const factor = tf.minimum(1, tf.div(attrs.clip, tf.add(norm, 1e-6)));
  const updated = parameters.map((parameter, index) => {
    const clipped = attrs.clip === Infinity ? gradients[index] : tf.mul(gradients[index], factor);
    const decayed = tf.add(clipped, tf.mul(parameter, attrs.weightDecay));
    return update(parameter, decayed, slots.map((slot) => slot[index]));
  });
  return [
    ...[0, ...slots.keys().map((slot) => slot + 1)].flatMap((which) =>
      updated.map((results) => results[which])
    ),
    norm,
  ];
}
