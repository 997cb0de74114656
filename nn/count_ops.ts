/**
 * Parameters and multiply-adds of the building blocks, from shapes alone: no tensor is made.
 *
 * What counts: a parameter is a trainable number (weights of convolutions and linear layers,
 * biases of linear layers, scale and shift of BN where it is affine), not a running
 * statistic. A multiply-add is one product and sum of a convolution or a linear layer, for
 * one image; taps that fall on padding count, biases do not.
 *
 * P-DARTS's published 557 M multiply-adds hold more than that: as the usual counting tool for
 * PyTorch does, they add two operations per element of an affine BN (one without affine), one
 * per element of a ReLU, and one per element that enters a pooling. `operations` is that
 * figure; additions, concatenations and the softmax count nothing in either.
 */

import { type GenotypePrimitive, PRIMITIVE_SPECS } from "./primitives.ts";

/** Parameters and multiply-adds for one image. */
export interface Counts {
  /** Trainable numbers. */
  readonly parameters: number;
  /** Multiply-adds of convolutions and linear layers, one image. */
  readonly multiplyAdds: number;
  /** Multiply-adds and the elementwise operations of BN, ReLU and pooling, one image. */
  readonly operations: number;
}

/** Height, width and channels of one image's activation. */
export interface ImageShape {
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
  /** Number of channels. */
  readonly channels: number;
}

/** A convolution without bias. */
export interface ConvolutionOptions {
  /** Output channels. */
  readonly channels: number;
  /** Height and width of the window. */
  readonly kernel: readonly [number, number];
  /** Vertical and horizontal stride. */
  readonly stride: readonly [number, number];
  /** Groups; as many as channels for a depthwise convolution. */
  readonly groups?: number;
}

/** Adds up the blocks that run through it; each method returns the shape of its output. */
export class Counter {
  /** Whether BN has scale and shift: in evaluation networks, not in the supernet's cells. */
  readonly #affine: boolean;
  #parameters = 0;
  #multiplyAdds = 0;
  #elementwise = 0;

  /** Starts at zero; `affine` is false for the supernet's cells alone. */
  constructor({ affine }: { affine: boolean }) {
    this.#affine = affine;
  }

  /** What has been counted so far. */
  get counts(): Counts {
    return {
      parameters: this.#parameters,
      multiplyAdds: this.#multiplyAdds,
      operations: this.#multiplyAdds + this.#elementwise,
    };
  }

  /** BN; parameters only where affine. */
  batchNorm(input: ImageShape): ImageShape {
    if (this.#affine) this.#parameters += 2 * input.channels;
    this.#elementwise += (this.#affine ? 2 : 1) * elements(input);
    return input;
  }

  /** ReLU. */
  relu(input: ImageShape): ImageShape {
    this.#elementwise += elements(input);
    return input;
  }

  /** Pooling to the given height and width. */
  pool(input: ImageShape, { height, width }: { height: number; width: number }): ImageShape {
    this.#elementwise += elements(input);
    return { height, width, channels: input.channels };
  }

  /** Convolution padded such that stride 1 keeps the size, so that stride s gives ceil(size / s). */
  convolution(input: ImageShape, options: ConvolutionOptions): ImageShape {
    const { channels, stride } = options;
    const output = {
      height: Math.ceil(input.height / stride[0]),
      width: Math.ceil(input.width / stride[1]),
      channels,
    };
    return this.#convolve(input, output, options);
  }

  /** 1x1 convolution of stride 1. */
  pointwise(input: ImageShape, channels: number): ImageShape {
    return this.convolution(input, { channels, kernel: [1, 1], stride: [1, 1] });
  }

  /** Convolution of stride 1 without padding. */
  unpadded(
    input: ImageShape,
    { channels, kernel }: Pick<ConvolutionOptions, "channels" | "kernel">,
  ): ImageShape {
    const [height, width] = kernel;
    const output = { height: input.height - height + 1, width: input.width - width + 1, channels };
    return this.#convolve(input, output, { kernel });
  }

  /** ReLU, 1x1 convolution, BN. */
  reluConvBn(input: ImageShape, channels: number): ImageShape {
    return this.batchNorm(this.pointwise(this.relu(input), channels));
  }

  /** ReLU, two 1x1 convolutions of stride 2 to half the channels each, BN. */
  factorizedReduce(input: ImageShape, channels: number): ImageShape {
    const half = { channels: channels / 2, kernel: [1, 1], stride: [2, 2] } as const;
    this.convolution(this.relu(input), half);
    const output = this.convolution(input, half);
    return this.batchNorm({ ...output, channels });
  }

  /** One primitive at an edge's stride; channels stay. */
  primitive(input: ImageShape, name: GenotypePrimitive, stride: 1 | 2): ImageShape {
    const { kind } = PRIMITIVE_SPECS[name];
    switch (kind) {
      case "none":
        return subsampled(input, stride);
      case "max_pool":
      case "avg_pool":
        return this.#pooling(input, stride);
      case "skip":
        return stride === 1 ? input : this.factorizedReduce(input, input.channels);
      case "separable":
        return this.#separable(input, name, stride);
      case "factorised_conv":
        return this.#factorisedConvolution(input, name, stride);
    }
  }

  /** Linear layer with bias on an input of one pixel. */
  linear(input: ImageShape, classes: number): ImageShape {
    this.#parameters += (input.channels + 1) * classes;
    this.#multiplyAdds += input.channels * classes;
    return { height: 1, width: 1, channels: classes };
  }

  /** Pooling; in the supernet a BN without affine follows. */
  #pooling(input: ImageShape, stride: 1 | 2): ImageShape {
    const pooled = this.pool(input, subsampled(input, stride));
    return this.#affine ? pooled : this.batchNorm(pooled);
  }

  #separable(input: ImageShape, name: GenotypePrimitive, stride: 1 | 2): ImageShape {
    const { kernel, repeats } = PRIMITIVE_SPECS[name];
    const { channels } = input;
    let shape = input;
    for (let unit = 0; unit < repeats; unit++) {
      const step = unit === 0 ? stride : 1;
      shape = this.convolution(this.relu(shape), {
        channels,
        kernel: [kernel, kernel],
        stride: [step, step],
        groups: channels,
      });
      shape = this.batchNorm(this.pointwise(shape, channels));
    }
    return shape;
  }

  #factorisedConvolution(input: ImageShape, name: GenotypePrimitive, stride: 1 | 2): ImageShape {
    const { kernel } = PRIMITIVE_SPECS[name];
    const { channels } = input;
    const wide = this.convolution(this.relu(input), {
      channels,
      kernel: [1, kernel],
      stride: [1, stride],
    });
    return this.batchNorm(
      this.convolution(wide, { channels, kernel: [kernel, 1], stride: [stride, 1] }),
    );
  }

  #convolve(
    input: ImageShape,
    output: ImageShape,
    { kernel, groups = 1 }: Pick<ConvolutionOptions, "kernel" | "groups">,
  ): ImageShape {
    const weights = kernel[0] * kernel[1] * input.channels / groups * output.channels;
    this.#parameters += weights;
    this.#multiplyAdds += weights * output.height * output.width;
    return output;
  }
}

function subsampled({ height, width, channels }: ImageShape, stride: number): ImageShape {
  return { height: Math.ceil(height / stride), width: Math.ceil(width / stride), channels };
}

function elements({ height, width, channels }: ImageShape): number {
  return height * width * channels;
}
