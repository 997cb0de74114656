/** What the ops refuse, before any kernel runs: the class of the error and its sentence. */

import * as tf from "@tensorflow/tfjs-core";
import { assertEquals, assertThrows } from "../../assert.ts";
import { type Branch, branches, type BranchesOptions } from "../../../backends/ops/branches.ts";
import { globalAveragePool } from "../../../backends/ops/global_average_pool.ts";
import { normalisedSum, type SumTerm } from "../../../backends/ops/normalised_sum.ts";
import { adamStep, sgdStep } from "../../../backends/ops/optimizer_step.ts";
import { runningStatistics } from "../../../backends/ops/running_statistics.ts";
import { softmaxCrossEntropy } from "../../../backends/ops/softmax_cross_entropy.ts";
import { onEachDevice } from "../devices.ts";

type ErrorClass = typeof TypeError | typeof RangeError;
type Refusal = [call: () => unknown, error: ErrorClass, sentence: string];

/** Expects each call to be refused, leaving no tensor but those its arguments made. */
function assertRefused(refusals: Refusal[]): void {
  tf.tidy(() => {
    for (const [call, error, sentence] of refusals) assertThrows(call, error, sentence);
  });
  assertEquals(refusals.length > 0, true);
}

const x = (...shape: number[]) => tf.zeros<tf.Rank>(shape) as tf.Tensor4D;
const integers = (...shape: number[]) => tf.zeros<tf.Rank>(shape, "int32") as tf.Tensor4D;

function run(branch: Branch, state = x(1, 4, 4, 3), options: BranchesOptions = {}): () => unknown {
  return () => branches(state, [branch], options);
}

const separable = (kernel: number, more: { stride?: number; dilation?: number } = {}): Branch => ({
  kind: "separable",
  depthwise: x(kernel, kernel, 3, 1),
  pointwise: x(1, 1, 3, 5),
  stride: 1,
  dilation: 1,
  ...more,
});

onEachDevice((test) => {
  test("branches() refuses x of another rank or dtype", () =>
    assertRefused([
      [
        run({ kind: "identity" }, x(4, 4, 3)),
        TypeError,
        "Cannot run branches: want float32 [N, H, W, C], got float32 [4,4,3]",
      ],
      [
        run({ kind: "identity" }, integers(1, 4, 4, 3)),
        TypeError,
        "Cannot run branches: want float32 [N, H, W, C], got int32 [1,4,4,3]",
      ],
    ]));

  test("branches() refuses an affine pair of another shape, and pools or identity behind one", () => {
    const options = { affine: x(2, 3) as unknown as tf.Tensor2D };
    const wrong = { affine: x(2, 4) as unknown as tf.Tensor2D };
    assertRefused([
      [
        run(separable(3), undefined, wrong),
        RangeError,
        "Cannot run branches: want affine [2, 3], got [2,4]",
      ],
      [
        run({ kind: "identity" }, undefined, options),
        TypeError,
        "Cannot run identity after an affine activation",
      ],
      [
        run({ kind: "max_pool", stride: 1 }, undefined, options),
        TypeError,
        "Cannot run max_pool after an affine activation",
      ],
    ]);
  });

  test("branches() refuses windows it does not have, and no branches", () =>
    assertRefused([
      [() => branches(x(1, 4, 4, 3), []), RangeError, "Cannot run branches: got none"],
      [run(separable(2)), RangeError, "Cannot run separable: want an odd kernel, got 2"],
      [
        run(separable(3, { stride: 3 })),
        RangeError,
        "Cannot run separable: want stride 1 or 2, got 3",
      ],
      [
        run(separable(3, { dilation: 4 })),
        RangeError,
        "Cannot run separable: want dilation 1 or 2, got 4",
      ],
      [
        run({ kind: "avg_pool", stride: 0 }),
        RangeError,
        "Cannot run avg_pool: want stride 1 or 2, got 0",
      ],
      [
        run({ kind: "convolution", filter: x(4, 4, 3, 8), stride: 1 }),
        RangeError,
        "Cannot run convolution: want an odd kernel, got 4",
      ],
    ]));

  test("branches() refuses filters that do not fit x", () =>
    assertRefused([
      [
        run(separable(3), x(1, 4, 4, 6)),
        RangeError,
        "Cannot run separable: want a filter [3,3,6,1], got [3,3,3,1]",
      ],
      [
        run({ ...separable(3), pointwise: x(1, 1, 4, 5) } as Branch),
        RangeError,
        "Cannot run separable: want a filter [1,1,3,5], got [1,1,4,5]",
      ],
      [
        run({ kind: "pointwise", filter: x(3, 3, 3, 8) }),
        RangeError,
        "Cannot run pointwise: want a filter [1,1,3,8], got [3,3,3,8]",
      ],
      [
        run({ kind: "pointwise", filter: integers(1, 1, 3, 8) }),
        TypeError,
        "Cannot run pointwise: want a float32 filter, got int32",
      ],
      [
        run({ kind: "convolution", filter: x(3, 5, 3, 8), stride: 1 }),
        RangeError,
        "Cannot run convolution: want a filter [3,3,3,8], got [3,5,3,8]",
      ],
      [
        run({ kind: "factorized_reduce", filters: [x(1, 1, 3, 2), x(1, 1, 3, 4)] }),
        RangeError,
        "Cannot run factorized_reduce: want a filter [1,1,3,2], got [1,1,3,4]",
      ],
      [
        run({ kind: "factorized_reduce", filters: [x(1, 1, 3, 2), x(1, 1, 3, 2)] }, x(1, 4, 5, 3)),
        RangeError,
        "Cannot run factorized_reduce: want even height and width, got 4 x 5",
      ],
    ]));

  test("branches() refuses norms that do not fit the result", () => {
    const norm = (size: number) => ({
      gamma: tf.zeros([size]) as tf.Tensor1D,
      beta: tf.zeros([size]) as tf.Tensor1D,
    });
    assertRefused([
      [
        run({ ...separable(3), norm: norm(3) } as Branch),
        RangeError,
        "Cannot run separable: want gamma and beta [5], got [3] and [3]",
      ],
      [
        run({ kind: "pointwise", filter: x(1, 1, 3, 8), norm: norm(1) }),
        RangeError,
        "Cannot run pointwise: want gamma and beta [8], got [1] and [1]",
      ],
    ]);
  });

  test("normalisedSum() refuses terms and weights that do not fit", () => {
    const sum = (...terms: SumTerm[]) => () => normalisedSum(terms, { weights: tf.zeros([2, 3]) });
    const term = (more: Partial<SumTerm> = {}): SumTerm => ({ x: x(2, 4, 4, 3), ...more });
    const dropout = { key: [0, 0] as [number, number], counter: 0, rate: 1 };
    assertRefused([
      [sum(), RangeError, "Cannot run normalisedSum: got no terms"],
      [
        sum(term({ x: integers(2, 4, 4, 3) })),
        TypeError,
        "Cannot run normalisedSum: want float32 [N, H, W, C], got int32 [2,4,4,3]",
      ],
      [
        sum(term(), term({ x: x(2, 4, 4, 4) })),
        RangeError,
        "Cannot run normalisedSum: want terms [2,4,4,3], got [2,4,4,4]",
      ],
      [
        sum(term({ affine: tf.zeros([2, 4]) })),
        RangeError,
        "Cannot run normalisedSum: want affine [2, 3], got [2,4]",
      ],
      [
        sum(term({ sampleWeights: tf.zeros([3]) })),
        RangeError,
        "Cannot run normalisedSum: want 2 sample weights, got 3",
      ],
      [
        () => normalisedSum([term({ weight: 0 })]),
        TypeError,
        "Cannot run normalisedSum: a term has a weight, the call none",
      ],
      [
        sum(term({ weight: 6 })),
        RangeError,
        "Cannot run normalisedSum: want a weight position below 6, got 6",
      ],
      [
        sum(term({ weight: 0.5 })),
        RangeError,
        "Cannot run normalisedSum: want a weight position below 6, got 0.5",
      ],
      [
        sum(term({ dropout })),
        RangeError,
        "Cannot drop out elements: want a rate in [0, 1), got 1",
      ],
    ]);
  });

  test("the head refuses other ranks, dtypes and lengths", () => {
    const logits = () => tf.zeros([2, 10]) as tf.Tensor2D;
    const labels = (size: number) => tf.zeros([size], "int32") as tf.Tensor1D;
    assertRefused([
      [
        () => globalAveragePool(x(4, 4, 3)),
        TypeError,
        "Cannot run globalAveragePool: want float32 [N, H, W, C], got float32 [4,4,3]",
      ],
      [
        () => softmaxCrossEntropy(logits(), tf.zeros([2])),
        TypeError,
        "Cannot run softmaxCrossEntropy: want float32 [N, classes] and int32 [N], " +
        "got float32 [2,10] and float32 [2]",
      ],
      [
        () => softmaxCrossEntropy(logits(), labels(3)),
        RangeError,
        "Cannot run softmaxCrossEntropy: got 2 logits and 3 labels",
      ],
      [
        () => softmaxCrossEntropy(logits(), labels(2), { labelSmoothing: 1 }),
        RangeError,
        "Cannot smooth labels: want a share in [0, 1), got 1",
      ],
    ]);
  });

  test("the training ops refuse lists and tensors that differ in size, and counts below 1", () => {
    const common = { learningRate: 0.1, clip: 5, weightDecay: 0 };
    const input = { parameters: [tf.zeros([2])], gradients: [], slots: [[tf.zeros([2])]] };
    const pair = () => tf.zeros([2, 3]) as tf.Tensor2D;
    assertRefused([
      [
        () => sgdStep(input, { ...common, momentum: 0.9 }),
        RangeError,
        "Cannot step 1 parameters: got 0 gradients and slots of 1",
      ],
      [
        () => adamStep(input, { ...common, beta1: 0.5, beta2: 0.9, epsilon: 1e-8, step: 1 }),
        RangeError,
        "Cannot step 1 parameters: got 0 gradients and slots of 1",
      ],
      [
        () => runningStatistics([pair()], [], { counts: [4] }),
        RangeError,
        "Cannot update running statistics: got 1 running, 0 moments and 1 counts",
      ],
      [
        () => sgdStep({ ...input, gradients: [tf.zeros([3])] }, { ...common, momentum: 0.9 }),
        RangeError,
        "Cannot step parameter 0: want [2], got [3]",
      ],
      [
        () => runningStatistics([pair()], [tf.zeros([2, 4])], { counts: [9] }),
        RangeError,
        "Cannot update running statistics: want moments [2,3], got [2,4]",
      ],
      [
        () => runningStatistics([pair()], [pair()], { counts: [0] }),
        RangeError,
        "Cannot update running statistics: want a count of at least 1, got 0",
      ],
    ]);
  });
});
