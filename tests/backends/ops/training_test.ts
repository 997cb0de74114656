/** Optimiser steps and running statistics on every device, several in a row. */

import * as tf from "@tensorflow/tfjs-core";
import { adamStep, sgdStep, type StepOutput } from "../../../backends/ops/optimizer_step.ts";
import { runningStatistics } from "../../../backends/ops/running_statistics.ts";
import { onEachDevice } from "../devices.ts";
import { naiveAdam, naiveRunningStatistics, naiveSgd } from "../naive/training.ts";
import type { Tensors64 } from "../naive/tensor64.ts";
import { checkCases, type NamedTensors, type OpCase } from "../op_case.ts";
import { Samples } from "../samples.ts";

const STEPS = 3;

/** Sizes of parameters: scalars, odd vectors, filters. */
const PARAMETERS = [[1], [3], [5, 5, 7, 1], [1, 1, 16, 36], [108], [14, 8], [3, 3, 3, 48]];

interface StepPlan {
  name: string;
  shapes: number[][];
  slots: ("m" | "v")[];
  /** Largest magnitude of a gradient. */
  gradients?: number;
  run(input: Record<"p" | "g" | "m" | "v", tf.Tensor[]>, step: number): StepOutput;
  naive(inputs: Tensors64, step: number): Tensors64;
}

/** Steps from zero slots, a new gradient each, named `g.0`, `g.1`, ... over all steps. */
function stepCase({ name, shapes, slots, gradients = 1, run, naive }: StepPlan): OpCase {
  const samples = new Samples(name), inputs: Tensors64 = {};
  shapes.forEach((shape, index) => {
    inputs[`p.${index}`] = samples.uniform(shape);
    for (let step = 0; step < STEPS; step++) {
      inputs[`g.${step * shapes.length + index}`] = samples.uniform(shape, { bound: gradients });
    }
  });
  const gradientOf = (step: number, index: number) => `g.${step * shapes.length + index}`;
  return {
    name,
    inputs,
    differentiate: [],
    lossOf: [],
    run: (tensors) =>
      tf.tidy(() => {
        const list = (key: string) => shapes.map((_, index) => tensors[`${key}.${index}`]);
        const zeros = () => shapes.map((shape) => tf.zeros(shape));
        const state = { p: list("p"), m: zeros(), v: zeros() };
        let norm: tf.Tensor = tf.scalar(0);
        for (let step = 0; step < STEPS; step++) {
          const g = shapes.map((_, index) => tensors[gradientOf(step, index)]);
          const output = run({ ...state, g }, step + 1);
          state.p = output.parameters;
          slots.forEach((slot, which) => state[slot] = output.slots[which]);
          norm = output.norm;
        }
        return named({ norm }, { p: state.p }, ...slots.map((slot) => ({ [slot]: state[slot] })));
      }),
    naive: (tensors) => {
      let state: Tensors64 = {};
      shapes.forEach((shape, index) => {
        state[`p.${index}`] = tensors[`p.${index}`];
        for (const slot of slots) {
          state[`${slot}.${index}`] = { shape, values: tensors[`p.${index}`].values.map(() => 0) };
        }
      });
      for (let step = 0; step < STEPS; step++) {
        const own = shapes.map((_, index) => [`g.${index}`, tensors[gradientOf(step, index)]]);
        state = naive({ ...state, ...Object.fromEntries(own) }, step + 1);
      }
      return { outputs: state, gradients: () => ({}) };
    },
    small: true,
  };
}

function named(
  single: NamedTensors,
  ...lists: Record<string, tf.Tensor[]>[]
): NamedTensors {
  const all = { ...single };
  for (const list of lists) {
    for (const [key, tensors] of Object.entries(list)) {
      tensors.forEach((tensor, index) => all[`${key}.${index}`] = tensor);
    }
  }
  return all;
}

interface Rule {
  shapes?: number[][];
  clip: number;
  weightDecay: number;
  gradients?: number;
}

function sgdCase({ shapes = PARAMETERS, gradients, ...rule }: Rule): OpCase {
  const attrs = { ...rule, learningRate: 0.025, momentum: 0.9 };
  return stepCase({
    name: `SGD, ${shapes.length} parameters, clip ${rule.clip}, decay ${rule.weightDecay}`,
    shapes,
    slots: ["m"],
    gradients,
    run: ({ p, g, m }) => sgdStep({ parameters: p, gradients: g, slots: [m] }, attrs),
    naive: (inputs) => naiveSgd(inputs, attrs),
  });
}

function adamCase({ shapes = PARAMETERS, gradients, ...rule }: Rule): OpCase {
  const attrs = { ...rule, learningRate: 6e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };
  return stepCase({
    name: `Adam, ${shapes.length} parameters, clip ${rule.clip}, decay ${rule.weightDecay}`,
    shapes,
    slots: ["m", "v"],
    gradients,
    run: ({ p, g, m, v }, step) =>
      adamStep({ parameters: p, gradients: g, slots: [m, v] }, { ...attrs, step }),
    naive: (inputs, step) => naiveAdam(inputs, { ...attrs, step }),
  });
}

const RULES: Rule[] = [
  { clip: 5, weightDecay: 3e-4 },
  { clip: 5, weightDecay: 1e-3, gradients: 1e-3 },
  { clip: Infinity, weightDecay: 0 },
  { clip: 0.5, weightDecay: 0, shapes: [[1]] },
  { clip: 5, weightDecay: 3e-4, gradients: 0, shapes: [[7], [2, 3]] },
  {
    clip: 5,
    weightDecay: 3e-4,
    shapes: Array.from({ length: 150 }, (_, index) => [index % 13 + 1, index % 7 + 1]),
  },
];

const OPTIMISERS = RULES.flatMap((rule) => [sgdCase(rule), adamCase(rule)]);

function statisticsCase(channels: number[], { momentum }: { momentum: number }): OpCase {
  const name = `channels ${channels}, momentum ${momentum}`;
  const samples = new Samples(name), inputs: Tensors64 = {};
  const counts = channels.map((_, index) => [1, 2, 49, 98304][index % 4]);
  channels.forEach((size, index) => {
    inputs[`running.${index}`] = samples.uniform([2, size]);
    inputs[`moments.${index}`] = samples.uniform([2, size], { bound: 3 });
  });
  return {
    name,
    inputs,
    differentiate: [],
    lossOf: [],
    run: (tensors) => {
      const list = (key: string) =>
        channels.map((_, index) => tensors[`${key}.${index}`] as tf.Tensor2D);
      const next = runningStatistics(list("running"), list("moments"), { momentum, counts });
      return named({}, { running: next });
    },
    naive: (tensors) => ({
      outputs: naiveRunningStatistics(tensors, { momentum, counts }),
      gradients: () => ({}),
    }),
    small: true,
  };
}

const STATISTICS = [
  statisticsCase([1], { momentum: 0.1 }),
  statisticsCase([3, 16, 36, 108, 5], { momentum: 0.1 }),
  statisticsCase(Array.from({ length: 90 }, (_, index) => index % 40 + 1), { momentum: 0.03 }),
];

onEachDevice((test) => {
  test("sgdStep() and adamStep() step as PyTorch does", (on) => checkCases(on, OPTIMISERS));
  test("runningStatistics() mixes in the unbiased variance", (on) => checkCases(on, STATISTICS));
});
