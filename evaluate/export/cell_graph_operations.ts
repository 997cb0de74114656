/**
 * The operations of an evaluation network's cells as nodes of a graph.
 *
 * Source: arXiv 1904.12760, section 3.1; `conv_7x1_1x7`, Zoph et al., arXiv 1707.07012, appendix A.
 */

import type { GenotypeEntry } from "../../nn/genotypes.ts";
import { PRIMITIVE_SPECS } from "../../nn/primitives.ts";
import type { GraphBuilder, NamedConvolution } from "./graph_builder.ts";

/** An operation between two states. */
export interface OperationSpec {
  /** Prefix of its parameters. */
  readonly name: string;
  readonly entry: GenotypeEntry;
  readonly from: string;
  readonly channels: number;
  readonly stride: 1 | 2;
  /** Height and width of the state it reads. */
  readonly size: number;
}

/** The name of an operation's result; none of `none`. */
export function addOperation(builder: GraphBuilder, spec: OperationSpec): string[] {
  const { name, entry: [primitive], from, channels, stride, size } = spec;
  const { kind } = PRIMITIVE_SPECS[primitive];
  switch (kind) {
    case "none":
      return [];
    case "max_pool":
    case "avg_pool":
      return [builder.add(`${from}.${kind}_${stride}`, { op: kind, stride }, [from])];
    case "skip":
      return stride === 1
        ? [from]
        : [factorizedReduce(builder, { name, from, inputs: channels, outputs: channels, size })];
    case "separable":
      return [separable(builder, spec)];
    case "factorised_conv":
      return [factorisedConvolution(builder, spec)];
  }
}

function separable(builder: GraphBuilder, spec: OperationSpec): string {
  const { name, entry: [primitive], channels } = spec;
  const { kernel, dilation, repeats } = PRIMITIVE_SPECS[primitive];
  let { from, stride }: { from: string; stride: number } = spec;
  for (let unit = 0; unit < repeats; unit++) {
    const [depthwise, pointwise, norm] = [1, 2, 3].map((layer) => `${name}.op.${4 * unit + layer}`);
    const windows = builder.convolution({
      name: depthwise,
      input: builder.relu(from),
      shape: [channels, 1, kernel, kernel],
      depthwise: true,
      stride: [stride, stride],
      dilation,
    });
    const shape = [channels, channels, 1, 1] as const;
    from = builder.normed([{ name: pointwise, input: windows, shape }], norm);
    stride = 1;
  }
  return from;
}

function factorisedConvolution(
  builder: GraphBuilder,
  { name, entry: [primitive], from, channels, stride }: OperationSpec,
): string {
  const { kernel } = PRIMITIVE_SPECS[primitive];
  const rows = builder.convolution({
    name: `${name}.op.1`,
    input: builder.relu(from),
    shape: [channels, channels, 1, kernel],
    stride: [1, stride],
  });
  return builder.normed([{
    name: `${name}.op.2`,
    input: rows,
    shape: [channels, channels, kernel, 1],
    stride: [stride, 1],
  }], `${name}.op.3`);
}

/** A convolution of one pixel between two widths. */
export interface PixelwiseSpec {
  /** Prefix of its parameters. */
  readonly name: string;
  readonly from: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Height and width in front. */
  readonly size: number;
}

/** ReLU, 1x1 convolution, BN. */
export function reluConvNorm(
  builder: GraphBuilder,
  { name, from, inputs, outputs }: PixelwiseSpec,
): string {
  const shape = [outputs, inputs, 1, 1] as const;
  return builder.normed(
    [{ name: `${name}.op.1`, input: builder.relu(from), shape }],
    `${name}.op.2`,
  );
}

/**
 * ReLU, two 1x1 convolutions of every other pixel, the second one pixel down and right; BN. The second
 * reads zeros past odd sizes.
 */
export function factorizedReduce(
  builder: GraphBuilder,
  { name, from, inputs, outputs, size }: PixelwiseSpec,
): string {
  const whole = builder.relu(from), even = size % 2 === 0 ? whole : builder.padEnd(whole);
  const half = (part: 1 | 2, input: string): NamedConvolution => ({
    name: `${name}.conv_${part}`,
    input,
    shape: [outputs / 2, inputs, 1, 1],
  });
  return builder.normed([
    half(1, builder.everyOther(whole, 0)),
    half(2, builder.everyOther(even, 1)),
  ], `${name}.bn`);
}
