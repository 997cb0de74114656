/**
 * The calls of fused ops that the evaluation network makes on CIFAR (36 channels, 20 cells), and those of
 * ImageNet's stems, by kind and shape, with random values: what evaluation_kernels.ts times. Channels are those of PDARTS.
 */

import * as tf from "@tensorflow/tfjs-core";
import { type Branch, branches, type BranchesOptions } from "../backends/ops/branches.ts";
import { normalisedSum } from "../backends/ops/normalised_sum.ts";

/** A call with all its gradients. */
export interface EvaluationCall {
  /** Kind and shape, such as "separable 3, 32x32x36". */
  name: string;
  /** Runs it forward and backward; its tensors are the caller's to tidy. */
  run: () => void;
}

/** Side of the images and channels of the states, before the reductions, between them and after. */
const STAGES = [[32, 36], [16, 72], [8, 144]] as const;
/** The strided convolutions before the first cell of the ImageNet network, 48 channels. */
const IMAGENET_STEMS = [
  { side: 224, inputs: 3, outputs: 24 },
  { side: 112, inputs: 24, outputs: 48 },
  { side: 56, inputs: 48, outputs: 48 },
];
const EPSILON = 1e-5;

/** All calls, for a batch of `batch` images; their inputs stay allocated. */
export function evaluationCalls(batch: number): EvaluationCall[] {
  return [
    branchCall("stem, 32x32x3 to 108", image(batch, 32, 3), {
      make: () => convolution({ inputs: 3, outputs: 108, stride: 1 }),
      options: { inputGradient: false },
    }),
    ...IMAGENET_STEMS.map(({ side, inputs, outputs }) =>
      branchCall(
        `strided stem, ${side}x${side}x${inputs} to ${outputs}`,
        image(batch, side, inputs),
        {
          make: () => convolution({ inputs, outputs, stride: 2 }),
          options: inputs === 3 ? { inputGradient: false } : { activation: "relu" },
        },
      )
    ),
    ...STAGES.flatMap(([side, channels]) => statesOf(batch, side, channels)),
    ...STAGES.slice(0, 2).flatMap(([side, channels]) => reductionsOf(batch, side, channels)),
  ];
}

/** Calls of cells whose states have `channels`. */
function statesOf(batch: number, side: number, channels: number): EvaluationCall[] {
  const size = `${side}x${side}x${channels}`;
  const call = (
    name: string,
    make: () => Branch,
    options: BranchesOptions = { activation: "relu" },
  ) => branchCall(`${name}, ${size}`, image(batch, side, channels), { make, options });
  const affine = tf.keep(tf.randomUniform([2, channels], 0.5, 1.5)) as tf.Tensor2D;
  const unit = (kernel: number, dilation: number) => () =>
    separable({ kernel, dilation, stride: 1, channels });
  return [
    call("separable 3", unit(3, 1)),
    call("separable 5", unit(5, 1)),
    call("separable 3 after batch norm", unit(3, 1), { affine }),
    call("separable 3 dilated", unit(3, 2)),
    call("separable 5 dilated", unit(5, 2)),
    branchCall(
      `pointwise to ${channels}, ${side}x${side}x${4 * channels}`,
      image(batch, side, 4 * channels),
      {
        make: () => pointwise(4 * channels, channels),
        options: { activation: "relu" },
      },
    ),
    sumCall(`normalised sum of 2, ${size}`, batch, { side, channels, dropPath: false }),
    sumCall(`normalised sum of 2 with drop path, ${size}`, batch, {
      side,
      channels,
      dropPath: true,
    }),
  ];
}

/** Calls of a reduction cell whose inputs have `side` and 4 x `channels`, preprocessed to twice that. */
function reductionsOf(batch: number, side: number, channels: number): EvaluationCall[] {
  const wide = 2 * channels,
    size = `${side}x${side}x${wide}`,
    relu = { activation: "relu" } as const;
  const call = (name: string, make: () => Branch) =>
    branchCall(`${name}, ${size}`, image(batch, side, wide), { make, options: relu });
  const strided = (kernel: number, dilation: number) => () =>
    separable({ kernel, dilation, stride: 2, channels: wide });
  return [
    call("max pool strided", () => ({ kind: "max_pool", stride: 2 })),
    call("average pool strided", () => ({ kind: "avg_pool", stride: 2 })),
    call("separable 3 strided", strided(3, 1)),
    call("separable 5 strided", strided(5, 1)),
    call("separable 3 dilated strided", strided(3, 2)),
    branchCall(
      `factorized reduce, ${side}x${side}x${4 * channels} to ${wide}`,
      image(batch, side, 4 * channels),
      {
        make: () => ({
          kind: "factorized_reduce",
          filters: [filter([1, 1, 4 * channels, channels]), filter([1, 1, 4 * channels, channels])],
          norm: norm(wide),
        }),
        options: relu,
      },
    ),
  ];
}

function branchCall(
  name: string,
  x: tf.Tensor4D,
  { make, options }: { make: () => Branch; options: BranchesOptions },
): EvaluationCall {
  const branch = make();
  const results = tf.tidy(() => branches(x, [branch], options).map(({ y }) => y.shape));
  const dy = tf.keep(tf.randomNormal(results[0])) as tf.Tensor4D;
  const dAffine = tf.keep(tf.randomNormal([2, results[0][3]]));
  const filters = "filters" in branch
    ? branch.filters
    : "filter" in branch
    ? [branch.filter]
    : "depthwise" in branch
    ? [branch.depthwise, branch.pointwise]
    : [];
  const wanted = [...(options.inputGradient === false ? [] : [x]), ...filters];
  const run = () => {
    const loss = () => {
      const [{ y, affine }] = branches(x, [branch], { ...options, epsilon: EPSILON });
      return passGradients([y, affine!], [dy, dAffine]);
    };
    tf.grads(loss)(wanted);
  };
  return { name, run };
}

function sumCall(
  name: string,
  batch: number,
  { side, channels, dropPath }: { side: number; channels: number; dropPath: boolean },
): EvaluationCall {
  const terms = [0, 1].map(() => ({
    x: image(batch, side, channels),
    affine: tf.keep(tf.randomUniform([2, channels], 0.5, 1.5)) as tf.Tensor2D,
    sampleWeights: dropPath
      ? tf.keep(tf.randomUniform([batch], 0.5, 1.5)) as tf.Tensor1D
      : undefined,
  }));
  const dy = tf.keep(tf.randomNormal([batch, side, side, channels]));
  const run = () => {
    tf.grads(() => passGradients([normalisedSum(terms)], [dy]))(
      terms.flatMap(({ x, affine }) => [x, affine]),
    );
  };
  return { name, run };
}

/** A scalar whose gradients by `tensors` are `gradients`, so that nothing else is computed. */
function passGradients(tensors: tf.Tensor[], gradients: tf.Tensor[]): tf.Scalar {
  return tf.customGrad((..._inputs) => ({
    value: tf.scalar(0),
    gradFunc: () => gradients.map((gradient) => tf.clone(gradient)),
  }))(...tensors) as tf.Scalar;
}

function image(batch: number, side: number, channels: number): tf.Tensor4D {
  return tf.keep(tf.randomNormal([batch, side, side, channels]));
}

function filter(shape: [number, number, number, number]): tf.Tensor4D {
  return tf.keep(tf.randomNormal(shape, 0, 0.1));
}

function norm(channels: number) {
  return {
    gamma: tf.keep(tf.ones([channels])) as tf.Tensor1D,
    beta: tf.keep(tf.zeros([channels])) as tf.Tensor1D,
  };
}

function separable(
  { kernel, dilation, stride, channels }: {
    kernel: number;
    dilation: number;
    stride: number;
    channels: number;
  },
): Branch {
  return {
    kind: "separable",
    depthwise: filter([kernel, kernel, channels, 1]),
    pointwise: filter([1, 1, channels, channels]),
    stride,
    dilation,
    norm: norm(channels),
  };
}

function pointwise(inputs: number, outputs: number): Branch {
  return { kind: "pointwise", filter: filter([1, 1, inputs, outputs]), norm: norm(outputs) };
}

/** A 3x3 convolution. */
function convolution(
  { inputs, outputs, stride }: { inputs: number; outputs: number; stride: number },
): Branch {
  return {
    kind: "convolution",
    filter: filter([3, 3, inputs, outputs]),
    stride,
    norm: norm(outputs),
  };
}
