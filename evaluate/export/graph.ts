/**
 * A network in inference as a list of operations: what every format that is exported to is written from.
 *
 * Invariants: nodes come in the order in which they can run; a node's name is that of its one result, and
 * inputs are such names. Feature maps are images of channels whose layout is the format's; weights lie as
 * in PyTorch. Every average of a pool leaves the padding out of its count.
 */

/** Numbers of a weight, row-major in PyTorch's layout. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What a node computes of its inputs. */
export type Operation =
  /** Bytes of pixels to `scale x + shift` per channel. */
  | { readonly op: "normalise"; readonly scale: Float32Array; readonly shift: Float32Array }
  | { readonly op: "relu" | "add" | "concat" | "zeros" | "global_average" | "softmax" }
  /** Every other row and column, from the first or the second on. */
  | { readonly op: "every_other"; readonly first: 0 | 1 }
  /** A row of zeros below and a column right of an image. */
  | { readonly op: "pad_end" }
  /** 3x3 with padding 1. */
  | { readonly op: "max_pool" | "avg_pool"; readonly stride: number }
  | ConvolutionOperation
  /** Per channel, `gamma (x - mean) / sqrt(variance + epsilon) + beta`. */
  | {
    readonly op: "batch_norm";
    readonly gamma: Weight;
    readonly beta: Weight;
    readonly mean: Weight;
    readonly variance: Weight;
    readonly epsilon: number;
  }
  /** `[N, inputs]` to `[N, outputs]`; the weight is `[outputs, inputs]`. */
  | { readonly op: "linear"; readonly weight: Weight; readonly bias: Weight };

/** A convolution; the padding is zeros, `dilation (kernel - 1) / 2` on both sides. */
export interface ConvolutionOperation {
  readonly op: "convolution";
  /** `[out, in, height, width]`, or `[channels, 1, height, width]` where it is depthwise. */
  readonly filter: Weight;
  readonly depthwise: boolean;
  readonly bias?: Weight;
  /** Of rows and columns. */
  readonly stride: readonly [number, number];
  readonly dilation: number;
}

/** One operation with its place in the graph. */
export interface GraphNode {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly operation: Operation;
}

/** A network that takes pixels and gives logits and probabilities. */
export interface Graph {
  /** `[N, size, size, 3]` red, green and blue in 0..255. */
  readonly input: { readonly name: string; readonly size: number };
  readonly nodes: readonly GraphNode[];
  /** Names of the nodes of `[N, classes]` results. */
  readonly outputs: { readonly logits: string; readonly probabilities: string };
  /** A name for each class. */
  readonly classes: readonly string[];
}

/** Padding on each side of a convolution's rows and columns. */
export function paddingOf({ filter, dilation }: ConvolutionOperation): [number, number] {
  const [, , height, width] = filter.shape;
  return [dilation * (height - 1) / 2, dilation * (width - 1) / 2];
}
