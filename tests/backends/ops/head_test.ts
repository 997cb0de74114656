/** The classifier's end on every device: global average pool, loss and accuracy counts. */

import type * as tf from "@tensorflow/tfjs-core";
import { globalAveragePool } from "../../../backends/ops/global_average_pool.ts";
import { softmaxCrossEntropy } from "../../../backends/ops/softmax_cross_entropy.ts";
import { onEachDevice } from "../devices.ts";
import { naiveGlobalAveragePool, naiveSoftmaxCrossEntropy } from "../naive/head.ts";
import type { Tensor64 } from "../naive/tensor64.ts";
import { checkCases, checkReference, type OpCase } from "../op_case.ts";
import { Samples } from "../samples.ts";

function poolCase(shape: number[]): OpCase {
  const name = `[${shape}]`;
  return {
    name,
    inputs: { x: new Samples(name).uniform(shape) },
    differentiate: ["x"],
    lossOf: ["y"],
    run: ({ x }) => ({ y: globalAveragePool(x as tf.Tensor4D) }),
    naive: naiveGlobalAveragePool,
    small: true,
  };
}

const POOLS = [
  [1, 1, 1, 1],
  [3, 7, 7, 5],
  [2, 8, 8, 16],
  [1, 31, 7, 36],
  [17, 8, 8, 108],
  [2, 32, 32, 3],
].map(poolCase);

interface LossPlan {
  labelSmoothing?: number;
  /** Largest magnitude of a logit; "ties" draws multiples of 1/2 from a few. */
  logits?: number | "ties";
}

function lossCase([batch, classes]: [number, number], plan: LossPlan = {}): OpCase {
  const { labelSmoothing, logits = 2 } = plan;
  const name = `[${batch},${classes}] smoothing ${labelSmoothing} logits ${logits}`;
  const samples = new Samples(name), shape = [batch, classes];
  const values: Tensor64 = logits === "ties"
    ? samples.exact(shape, { steps: 2 })
    : samples.uniform(shape, { bound: logits });
  return {
    name,
    inputs: { logits: values, labels: samples.integers([batch], classes) },
    integers: ["labels"],
    differentiate: ["logits"],
    lossOf: ["loss"],
    run: (tensors) => {
      const { loss, counts } = softmaxCrossEntropy(
        tensors.logits as tf.Tensor2D,
        tensors.labels as tf.Tensor1D,
        { labelSmoothing },
      );
      return { loss, counts };
    },
    naive: (tensors) => naiveSoftmaxCrossEntropy(tensors, { labelSmoothing }),
    small: true,
  };
}

const SHAPES: [number, number][] = [[1, 1], [1, 10], [2, 3], [3, 4], [5, 5], [17, 10], [96, 100]];

const LOSSES = [
  ...SHAPES.flatMap((shape) => [
    lossCase(shape),
    lossCase(shape, { labelSmoothing: 0.1 }),
    lossCase(shape, { logits: "ties" }),
  ]),
  lossCase([3, 1000], { labelSmoothing: 0.1 }),
  lossCase([4, 10], { logits: 80 }),
  lossCase([4, 10], { logits: 1000 }),
];

onEachDevice((test) => {
  test("globalAveragePool() computes means and their gradient", (on) => checkCases(on, POOLS));
  test("softmaxCrossEntropy() computes loss, counts and gradient", (on) => checkCases(on, LOSSES));
});

Deno.test("naive head has the gradients that finite differences give", () => {
  checkReference(poolCase([2, 3, 5, 3]));
  checkReference(lossCase([3, 7], { labelSmoothing: 0.1 }), { places: 6 });
});
