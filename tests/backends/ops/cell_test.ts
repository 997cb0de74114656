/**
 * Ops one behind the other, as a network uses them: lazy batch norms between units, a node, the head
 * and the loss, differentiated at once, on every device.
 */

import * as tf from "@tensorflow/tfjs-core";
import { assertEquals } from "../../assert.ts";
import { branches } from "../../../backends/ops/branches.ts";
import { globalAveragePool } from "../../../backends/ops/global_average_pool.ts";
import { normalisedSum } from "../../../backends/ops/normalised_sum.ts";
import { softmaxCrossEntropy } from "../../../backends/ops/softmax_cross_entropy.ts";
import { onEachDevice } from "../devices.ts";
import { naiveBranches } from "../naive/branches.ts";
import { naiveGlobalAveragePool, naiveSoftmaxCrossEntropy } from "../naive/head.ts";
import { naiveNormalisedSum } from "../naive/normalised_sum.ts";
import {
  accumulate,
  type NaiveOp,
  type Tensor64,
  type Tensors64,
  withoutPrefix,
  withPrefix,
} from "../naive/tensor64.ts";
import {
  checkCases,
  checkReference,
  type NamedTensors,
  type OpCase,
  toTensors,
} from "../op_case.ts";
import { Samples } from "../samples.ts";

const DROPOUT = { key: [3, 4] as [number, number], counter: 9, rate: 0.3 };

/**
 * Input x; the state's pools, separable unit and skip; a second unit behind the first one's lazy batch
 * norm; their weighted sum; the mean; the loss.
 */
function run(tensors: NamedTensors): NamedTensors {
  const t = <T extends tf.Tensor>(name: string) => tensors[name] as T;
  const [pool, unit, skip] = branches(t("x"), [
    { kind: "max_pool", stride: 1 },
    {
      kind: "separable",
      depthwise: t("first.depthwise"),
      pointwise: t("first.pointwise"),
      stride: 1,
      dilation: 1,
      norm: { gamma: t("first.gamma"), beta: t("first.beta") },
    },
    { kind: "identity" },
  ], { activation: "relu" });
  const [second] = branches(unit.y, [{
    kind: "separable",
    depthwise: t("second.depthwise"),
    pointwise: t("second.pointwise"),
    stride: 1,
    dilation: 2,
  }], { affine: unit.affine });
  const node = normalisedSum([
    { x: pool.y, affine: pool.affine, weight: 2 },
    { x: second.y, affine: second.affine, weight: 0 },
    { x: unit.y, affine: unit.affine },
    { x: skip.y, weight: 1, dropout: DROPOUT },
  ], { weights: t("weights") });
  const logits = globalAveragePool(node);
  const { loss, counts } = softmaxCrossEntropy(logits, t("labels"), { labelSmoothing: 0.1 });
  return { loss, counts };
}

/** The same from the naive ops, their gradients chained by hand. */
const naive: NaiveOp = (inputs) => {
  const state = naiveBranches(
    { x: inputs.x, ...withPrefix(withoutPrefix(inputs, "first."), "1.") },
    [{ kind: "max_pool" }, { kind: "separable" }, { kind: "identity" }],
    { activation: "relu" },
  );
  const out = state.outputs;
  const second = naiveBranches(
    {
      x: out["1.y"],
      affine: out["1.affine"],
      ...withPrefix(withoutPrefix(inputs, "second."), "0."),
    },
    [{ kind: "separable", dilation: 2 }],
  );
  const node = naiveNormalisedSum({
    "0.x": out["0.y"],
    "0.affine": out["0.affine"],
    "1.x": second.outputs["0.y"],
    "1.affine": second.outputs["0.affine"],
    "2.x": out["1.y"],
    "2.affine": out["1.affine"],
    "3.x": out["2.y"],
    weights: inputs.weights,
  }, [{ weight: 2 }, { weight: 0 }, {}, { weight: 1, dropout: DROPOUT }]);
  const mean = naiveGlobalAveragePool({ x: node.outputs.y });
  const end = naiveSoftmaxCrossEntropy(
    { logits: mean.outputs.y, labels: inputs.labels },
    { labelSmoothing: 0.1 },
  );
  const gradients = (cotangents: Tensors64): Tensors64 => {
    const dMean = mean.gradients({ y: end.gradients(cotangents).logits });
    const dNode = node.gradients({ y: dMean.x });
    const dSecond = second.gradients({ "0.y": dNode["1.x"], "0.affine": dNode["1.affine"] });
    const dState = state.gradients({
      "0.y": dNode["0.x"],
      "0.affine": dNode["0.affine"],
      "1.y": total(dNode["2.x"], dSecond.x),
      "1.affine": total(dNode["2.affine"], dSecond.affine),
      "2.y": dNode["3.x"],
    });
    return {
      x: dState.x,
      weights: dNode.weights,
      ...withPrefix(withoutPrefix(dState, "1."), "first."),
      ...withPrefix(withoutPrefix(dSecond, "0."), "second."),
    };
  };
  return { outputs: end.outputs, gradients };
};

function total(a: Tensor64, b: Tensor64): Tensor64 {
  const sum = { shape: a.shape, values: a.values.slice() };
  accumulate(sum, b);
  return sum;
}

function cellCase(shape: [number, number, number, number]): OpCase {
  const name = `[${shape}]`, channels = shape[3];
  const samples = new Samples(name);
  const inputs: Tensors64 = {
    x: samples.uniform(shape),
    weights: samples.uniform([3]),
    "first.depthwise": samples.filter([3, 3, channels, 1]),
    "first.pointwise": samples.filter([1, 1, channels, channels]),
    "first.gamma": samples.uniform([channels]),
    "first.beta": samples.uniform([channels]),
    "second.depthwise": samples.filter([5, 5, channels, 1]),
    "second.pointwise": samples.filter([1, 1, channels, channels]),
  };
  const differentiate = Object.keys(inputs);
  return {
    name,
    inputs: { ...inputs, labels: samples.integers([shape[0]], channels) },
    integers: ["labels"],
    differentiate,
    lossOf: ["loss"],
    run: (tensors) => tf.tidy(() => run(tensors)),
    naive,
    small: shape.reduce((size, side) => size * side, 1) < 4000,
  };
}

const CELLS = ([[2, 5, 4, 3], [3, 7, 7, 5], [2, 8, 8, 16], [4, 9, 11, 36]] as const).map((shape) =>
  cellCase([...shape])
);

onEachDevice((test) => {
  test("a cell's ops chain through their lazy batch norms", (on) => checkCases(on, CELLS));

  test("tf.variableGrads() gives a cell's gradients and leaves no other tensor", async () => {
    const [one] = CELLS, before = tf.memory().numTensors;
    const tensors = toTensors(one.inputs, one.integers);
    const variables = Object.fromEntries(
      one.differentiate.map((name) => [name, tf.variable(tensors[name])]),
    );
    const list = Object.values(variables);
    const held = tf.memory().numTensors;
    const { value, grads } = tf.variableGrads(
      () => run({ ...tensors, ...variables }).loss as tf.Scalar,
      list,
    );
    assertEquals(tf.memory().numTensors, held + 1 + list.length);
    const expected = tf.grads((...given) =>
      run({
        ...tensors,
        ...Object.fromEntries(one.differentiate.map((name, index) => [name, given[index]])),
      }).loss
    )(one.differentiate.map((name) => tensors[name]));
    for (const [index, name] of one.differentiate.entries()) {
      assertEquals(await grads[variables[name].name].data(), await expected[index].data(), name);
    }
    tf.dispose([value, grads, expected, list, tensors]);
    assertEquals(tf.memory().numTensors, before);
  });
});

Deno.test("the naive cell has the gradients that finite differences give", () => {
  checkReference(cellCase([2, 4, 3, 3]));
});
