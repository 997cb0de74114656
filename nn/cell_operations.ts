/**
 * The operations of cells that search and evaluation share, each with its parameters under the names of
 * the authors' modules; `affine` tells whether batch norms have gamma and beta, as in evaluation.
 *
 * Source: arXiv 1904.12760, section 3.1, after arXiv 1806.09055.
 */

import type { NormedBranch } from "./batch_norm.ts";
import type { Parameters } from "./parameters.ts";

/** What an operation between states of two widths is told. */
export interface OperationShape {
  /** Prefix of its parameters, such as `cells.3.preprocess0`. */
  readonly name: string;
  /** Channels in front. */
  readonly inputs: number;
  /** Channels behind; even for a FactorizedReduce. */
  readonly outputs: number;
  /** Whether its batch norm has gamma and beta. */
  readonly affine: boolean;
}

/** What a separable unit is told. */
export interface SeparableShape {
  /** Prefix of its operation's parameters; the unit's own lie at `<name>.op.<layer>` and the next two. */
  readonly name: string;
  /** Place of the depthwise convolution among the operation's layers. */
  readonly layer: number;
  /** Channels in front and behind. */
  readonly channels: number;
  /** Side of the depthwise window, odd. */
  readonly kernel: number;
  /** 1 or 2. */
  readonly stride: number;
  /** Of the depthwise window, 1 or 2. */
  readonly dilation: number;
  /** Whether its batch norm has gamma and beta. */
  readonly affine: boolean;
}

/** A 3x3 convolution, BN with gamma and beta: a layer of a stem. */
export function denseConvolution(
  parameters: Parameters,
  { names: [convolution, norm], inputs, outputs, stride }: {
    /** Prefixes of the parameters of the convolution and of its norm. */
    names: readonly [string, string];
    inputs: number;
    outputs: number;
    /** 1 or 2. */
    stride: number;
  },
): NormedBranch {
  return {
    branch: {
      kind: "convolution",
      filter: parameters.convolution(`${convolution}.weight`, [outputs, inputs, 3, 3]),
      stride,
    },
    norm: parameters.batchNorm(norm, { channels: outputs, affine: true }),
  };
}

/** ReLU, two 1x1 convolutions of stride 2 to half the channels each, concatenated; BN. */
export function factorizedReduce(
  parameters: Parameters,
  { name, inputs, outputs, affine }: OperationShape,
): NormedBranch {
  const half = (part: number) =>
    parameters.convolution(`${name}.conv_${part}.weight`, [outputs / 2, inputs, 1, 1]);
  return {
    branch: { kind: "factorized_reduce", filters: [half(1), half(2)] },
    norm: parameters.batchNorm(`${name}.bn`, { channels: outputs, affine }),
  };
}

/** ReLU, 1x1 convolution, BN. */
export function reluConvNorm(
  parameters: Parameters,
  { name, inputs, outputs, affine }: OperationShape,
): NormedBranch {
  return {
    branch: {
      kind: "pointwise",
      filter: parameters.convolution(`${name}.op.1.weight`, [outputs, inputs, 1, 1]),
    },
    norm: parameters.batchNorm(`${name}.op.2`, { channels: outputs, affine }),
  };
}

/** ReLU, depthwise convolution, pointwise convolution, BN. */
export function separableUnit(
  parameters: Parameters,
  { name, layer, channels, kernel, stride, dilation, affine }: SeparableShape,
): NormedBranch {
  return {
    branch: {
      kind: "separable",
      depthwise: parameters.depthwise(`${name}.op.${layer}.weight`, { channels, kernel }),
      pointwise: parameters.convolution(
        `${name}.op.${layer + 1}.weight`,
        [channels, channels, 1, 1],
      ),
      stride,
      dilation,
    },
    norm: parameters.batchNorm(`${name}.op.${layer + 2}`, { channels, affine }),
  };
}

/** The two states that a cell makes of the outputs in front of it. */
export function preprocess(
  parameters: Parameters,
  { name, inputs, channels, afterReduction, affine }: {
    name: string;
    /** Channels of the outputs of the last cell but one, and of the last. */
    inputs: readonly [number, number];
    /** Channels of the states. */
    channels: number;
    /** Whether the last cell reduced, so that the first input is twice as large. */
    afterReduction: boolean;
    affine: boolean;
  },
): [NormedBranch, NormedBranch] {
  const shape = (input: 0 | 1): OperationShape => ({
    name: `${name}.preprocess${input}`,
    inputs: inputs[input],
    outputs: channels,
    affine,
  });
  const first = afterReduction ? factorizedReduce : reluConvNorm;
  return [first(parameters, shape(0)), reluConvNorm(parameters, shape(1))];
}
