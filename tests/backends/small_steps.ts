/** Steps for tests of recorders, small enough to be followed by hand. */

import * as tf from "@tensorflow/tfjs-core";
import type { HostNumber } from "../../backends/host_number.ts";
import { sgdStep } from "../../backends/ops/optimizer_step.ts";

/** A variable that nothing else shares its values with. */
export function variableOf(values: number[] | Float32Array): tf.Variable<tf.Rank.R1> {
  return tf.tidy(() => tf.variable(tf.tensor1d(values)));
}

/** A variable, and a step `x = 2 x + (1, 2, 3)` whose kernels are tfjs's own. */
export function doubling() {
  const x = variableOf([1, 2, 3]);
  const step = () => tf.tidy(() => x.assign(tf.add(tf.mul(x, 2), tf.tensor1d([1, 2, 3]))));
  return { x, step, tensors: () => [x] };
}

/** A parameter of 8, and steps that take the learning rate from it. */
export function descent() {
  const parameter = variableOf([8]), gradient = tf.tensor1d([1]), momenta = tf.tensor1d([0]);
  const step = (learningRate: HostNumber) => {
    const attrs = { learningRate, clip: 5, weightDecay: 0, momentum: 0 };
    const input = { parameters: [parameter], gradients: [gradient], slots: [[momenta]] };
    const output = sgdStep(input, attrs);
    parameter.assign(output.parameters[0] as tf.Tensor1D);
    tf.dispose([output.parameters, output.slots, output.norm]);
  };
  return { parameter, step, tensors: () => [parameter, gradient, momenta] };
}

export async function valuesOf(x: tf.Tensor): Promise<number[]> {
  return [...await x.data()];
}
