/** A dense convolution or a gradient of one: its sizes, operands, names, and where it lies in memory. */

/** Sizes of a convolution. */
export interface ConvolutionShape {
  batch: number;
  /** Height, width and channels. */
  input: readonly [number, number, number];
  output: readonly [number, number, number];
  /** Height and width, as in all that follow. */
  kernel: readonly [number, number];
  stride: readonly [number, number];
  /** Zeros above and at the left, and as many below and at the right. */
  padding: readonly [number, number];
  dilation: readonly [number, number];
}

/** A convolution or a gradient of one; the address that `kind` names is written. */
export interface DenseConvolution extends ConvolutionShape {
  kind: "forward" | "input_gradient" | "filter_gradient";
  /** `[batch, ...input]`; its gradient where that is asked for, as of the two others. */
  x: bigint;
  /** `[output channels, ...kernel, input channels]`. */
  filter: bigint;
  /** `[batch, ...output]`. */
  y: bigint;
}

/** The operands of a convolution. */
export type Operand = "x" | "filter" | "y";

/** Operands and workspace begin at multiples of this. */
const ALIGN = 256;

/** Operands, and the workspace behind them, in one piece of memory. */
export function operandsAt(
  x: bigint,
  { batch, input, output, kernel }: ConvolutionShape,
): Record<Operand | "workspace", bigint> {
  const bytes = (...sizes: number[]) =>
    BigInt(Math.ceil(4 * sizes.reduce((product, next) => product * next) / ALIGN) * ALIGN);
  const filter = x + bytes(batch, ...input);
  const y = filter + bytes(output[2], ...kernel, input[2]);
  return { x, filter, y, workspace: y + bytes(batch, ...output) };
}

/** Tells convolutions apart. */
export function nameOf(call: DenseConvolution): string {
  const { kind, batch, input, output, kernel, stride, padding, dilation } = call;
  return [kind, batch, input, output, kernel, stride, padding, dilation].join();
}

export function checkSizes(call: ConvolutionShape): void {
  const { input, output, kernel, stride, padding, dilation } = call;
  for (const axis of [0, 1] as const) {
    const reach = dilation[axis] * (kernel[axis] - 1) + 1;
    const size = Math.floor((input[axis] + 2 * padding[axis] - reach) / stride[axis]) + 1;
    if (output[axis] !== size) {
      throw new RangeError(`Cannot run ${title(call)} on cudnn: want an output of ${size}`);
    }
  }
}

/** Such as `convolution 3 x 3 of [96,32,32,3] to [96,32,32,48]`. */
export function title({ batch, input, output, kernel }: ConvolutionShape): string {
  return `convolution ${kernel.join(" x ")} of [${batch},${input}] to [${batch},${output}]`;
}
