/** The emulated cuDNN's convolutions against the naive ones of tests/backends/naive. */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { CUDNN_VALUES } from "../../backends/cudnn/ffi/cudnn.ts";
import { CUDNN_STRUCTS } from "../../backends/cudnn/ffi/cudnn_convolution.ts";
import { checkCudnn, DriverError } from "../../backends/cudnn/ffi/status.ts";
import { type Tensor64, zeros } from "../backends/naive/tensor64.ts";
import { naiveConvolution } from "../backends/naive/windows.ts";
import { emulatorTest, type Session } from "./session.ts";

interface Shape {
  batch: number;
  /** Height, width, channels. */
  input: [number, number, number];
  channels: number;
  /** Height, width. */
  kernel: [number, number];
  stride?: number;
  dilation?: number;
  layout?: "NHWC" | "NCHW";
}

/** Paddings that keep the size at stride 1. */
function paddingOf({ kernel, dilation = 1 }: Shape): [number, number] {
  return kernel.map((size) => dilation * (size - 1) / 2) as [number, number];
}

function outputOf(shape: Shape): [number, number] {
  return [0, 1].map((axis) => Math.ceil(shape.input[axis] / (shape.stride ?? 1))) as [
    number,
    number,
  ];
}

function random(shape: number[], seed: number): Tensor64 {
  const tensor = zeros(shape);
  tensor.values.forEach((_, index) => {
    tensor.values[index] = Math.fround(Math.sin(index * 12.9898 + seed));
  });
  return tensor;
}

/** A square filter with these taps in its middle, `[side, side, in, out]` of `[h, w, in, out]`. */
function squared(filter: Tensor64): Tensor64 {
  const [height, width, ...channels] = filter.shape, side = Math.max(height, width);
  const block = channels[0] * channels[1], result = zeros([side, side, ...channels]);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = (row + (side - height) / 2) * side + column + (side - width) / 2;
      const tap = (row * width + column) * block;
      result.values.set(filter.values.subarray(tap, tap + block), at * block);
    }
  }
  return result;
}

/** The middle taps again: what {@linkcode squared} does, backwards. */
function middle(filter: Tensor64, [height, width]: [number, number]): Tensor64 {
  const side = filter.shape[0], channels = filter.shape.slice(2), block = channels[0] * channels[1];
  const result = zeros([height, width, ...channels]);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = (row + (side - height) / 2) * side + column + (side - width) / 2;
      result.values.set(
        filter.values.subarray(at * block, (at + 1) * block),
        (row * width + column) * block,
      );
    }
  }
  return result;
}

/** The values with the axes in another order. */
function transposed({ shape, values }: Tensor64, axes: number[]): Float32Array<ArrayBuffer> {
  const sizes = axes.map((axis) => shape[axis]);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((n, size) => n * size, 1));
  return Float32Array.from({ length: values.length }, (_, index) => {
    let rest = index, offset = 0;
    for (let position = axes.length - 1; position >= 0; position--) {
      offset += rest % sizes[position] * strides[axes[position]];
      rest = Math.floor(rest / sizes[position]);
    }
    return values[offset];
  });
}

/** `cudnnTensorFormat_t`; the backend uses only one. */
const FORMATS = { NCHW: 0, NHWC: CUDNN_VALUES.CUDNN_TENSOR_NHWC };

/** From NHWC, and from `[h, w, in, out]`, to what cuDNN takes. */
const AXES = {
  NHWC: { tensor: [0, 1, 2, 3], filter: [3, 0, 1, 2] },
  NCHW: { tensor: [0, 3, 1, 2], filter: [3, 2, 0, 1] },
};

/** A convolution on the emulator: its handle and descriptors. */
class Convolution {
  readonly handle: bigint;
  readonly x: bigint;
  readonly filter: bigint;
  readonly y: bigint;
  readonly convolution: bigint;
  readonly #session: Session;

  constructor(session: Session, shape: Shape) {
    const { cudnn } = session.libraries, float = CUDNN_VALUES.CUDNN_DATA_FLOAT;
    const format = FORMATS[shape.layout ?? "NHWC"];
    const [height, width, channels] = shape.input, [rows, columns] = outputOf(shape);
    const { stride = 1, dilation = 1 } = shape, padding = paddingOf(shape);
    this.#session = session;
    this.handle = this.#make("cudnnCreate");
    this.x = this.#make("cudnnCreateTensorDescriptor");
    this.y = this.#make("cudnnCreateTensorDescriptor");
    this.filter = this.#make("cudnnCreateFilterDescriptor");
    this.convolution = this.#make("cudnnCreateConvolutionDescriptor");
    this.check(
      cudnn.cudnnSetTensor4dDescriptor(this.x, format, float, shape.batch, channels, height, width),
    );
    this.check(
      cudnn.cudnnSetTensor4dDescriptor(
        this.y,
        format,
        float,
        shape.batch,
        shape.channels,
        rows,
        columns,
      ),
    );
    this.check(
      cudnn.cudnnSetFilter4dDescriptor(
        this.filter,
        float,
        format,
        shape.channels,
        channels,
        ...shape.kernel,
      ),
    );
    this.check(cudnn.cudnnSetConvolution2dDescriptor(
      this.convolution,
      ...padding,
      ...[stride, stride, dilation, dilation] as const,
      CUDNN_VALUES.CUDNN_CROSS_CORRELATION,
      float,
    ));
    this.setMath("CUDNN_FMA_MATH");
  }

  setMath(type: "CUDNN_DEFAULT_MATH" | "CUDNN_FMA_MATH"): void {
    const { cudnn } = this.#session.libraries;
    this.check(cudnn.cudnnSetConvolutionMathType(this.convolution, CUDNN_VALUES[type]));
  }

  check(status: number): void {
    checkCudnn(this.#session.libraries.cudnn, status, "cudnn");
  }

  #make(
    create: "cudnnCreate" | `cudnnCreate${"Tensor" | "Filter" | "Convolution"}Descriptor`,
  ): bigint {
    const out = new BigUint64Array(1);
    this.check(this.#session.libraries.cudnn[create](out));
    return out[0];
  }

  /** `y = alpha x * filter + beta y`. */
  forward({ x, filter, y }: Memory, options: ForwardOptions = {}): void {
    const { cudnn } = this.#session.libraries;
    const { alpha = 1, beta = 0, algorithm = 0, workspace = 0n, workspaceBytes = 0n } = options;
    this.check(cudnn.cudnnConvolutionForward(
      ...[this.handle, new Float32Array([alpha]), this.x, x, this.filter, filter] as const,
      ...[this.convolution, algorithm, workspace, workspaceBytes] as const,
      ...[new Float32Array([beta]), this.y, y] as const,
    ));
  }

  inputGradient(memory: Memory): void {
    this.check(this.#session.libraries.cudnn.cudnnConvolutionBackwardData(
      ...[
        this.handle,
        new Float32Array([1]),
        this.filter,
        memory.filter,
        this.y,
        memory.y,
      ] as const,
      ...[this.convolution, 0, 0n, 0n, new Float32Array([0]), this.x, memory.x] as const,
    ));
  }

  filterGradient(memory: Memory): void {
    this.check(this.#session.libraries.cudnn.cudnnConvolutionBackwardFilter(
      ...[this.handle, new Float32Array([1]), this.x, memory.x, this.y, memory.y] as const,
      ...[this.convolution, 0, 0n, 0n, new Float32Array([0]), this.filter, memory.filter] as const,
    ));
  }
}

/** How a forward convolution departs from the plain one. */
interface ForwardOptions {
  alpha?: number;
  beta?: number;
  algorithm?: number;
  workspace?: bigint;
  workspaceBytes?: bigint;
}

/** Addresses of the operands. */
interface Memory {
  x: bigint;
  filter: bigint;
  y: bigint;
}

function assertClose(actual: Float32Array, expected: Float32Array, name: string): void {
  assertEquals(actual.length, expected.length);
  actual.forEach((value, index) => {
    const error = Math.abs(value - expected[index]) / (1 + Math.abs(expected[index]));
    assert(error < 1e-5, `${name} at ${index}: got ${value}, want ${expected[index]}`);
  });
}

const SHAPES: Shape[] = [
  { batch: 2, input: [5, 7, 3], channels: 4, kernel: [3, 3] },
  { batch: 1, input: [8, 8, 5], channels: 16, kernel: [3, 3], stride: 2 },
  { batch: 2, input: [9, 6, 2], channels: 3, kernel: [5, 5], dilation: 2 },
  { batch: 2, input: [7, 7, 3], channels: 2, kernel: [1, 7], stride: 1 },
  { batch: 2, input: [6, 9, 3], channels: 2, kernel: [7, 1] },
  { batch: 3, input: [4, 4, 17], channels: 9, kernel: [1, 1], stride: 2 },
  { batch: 2, input: [5, 7, 3], channels: 4, kernel: [3, 3], layout: "NCHW" },
];

for (const shape of SHAPES) {
  const title = `${shape.kernel.join(" x ")} of ${shape.input}, stride ${shape.stride ?? 1}, ` +
    `dilation ${shape.dilation ?? 1}, ${shape.layout ?? "NHWC"}`;
  emulatorTest(`cuDNN's convolution ${title} and its gradients are the naive ones`, (session) => {
    const { batch, input, channels, kernel, stride = 1, dilation = 1, layout = "NHWC" } = shape;
    const x = random([batch, ...input], 0), filter = random([...kernel, input[2], channels], 1);
    const output = outputOf(shape), dy = random([batch, ...output, channels], 2);
    const side = Math.max(...kernel), start = -dilation * (side - 1) / 2;
    const reference = naiveConvolution(x, squared(filter), {
      kernel: side,
      stride,
      dilation,
      start,
      output,
    });
    const gradients = reference.gradients(dy), axes = AXES[layout];
    const convolution = new Convolution(session, shape);
    const operands = {
      x: transposed(x, axes.tensor),
      filter: transposed(filter, axes.filter),
      y: transposed(dy, axes.tensor),
    };
    /** Runs with the written operand as NaNs, which must not be read. */
    const run = (kind: "forward" | "inputGradient" | "filterGradient", written: keyof Memory) => {
      const of = (name: keyof Memory) =>
        session.upload(name === written ? operands[name].map(() => NaN) : operands[name]);
      const memory = { x: of("x"), filter: of("filter"), y: of("y") };
      convolution[kind](memory);
      return session.download(memory[written], new Float32Array(operands[written].length));
    };
    assertClose(run("forward", "y"), transposed(reference.y, axes.tensor), "y");
    assertClose(run("inputGradient", "x"), transposed(gradients.x, axes.tensor), "dx");
    const expected = transposed(middle(gradients.filter, kernel), axes.filter);
    assertClose(run("filterGradient", "filter"), expected, "d filter");
  });
}

emulatorTest("cuDNN's alpha and beta scale the result and what was there", (session) => {
  const convolution = new Convolution(session, {
    batch: 1,
    input: [1, 1, 1],
    channels: 1,
    kernel: [1, 1],
  });
  const of = (value: number) => session.upload(new Float32Array([value]));
  const memory = { x: of(3), filter: of(5), y: of(7) };
  convolution.forward(memory, { alpha: 2, beta: 0.5 });
  assertEquals([...session.download(memory.y, new Float32Array(1))], [2 * 15 + 0.5 * 7]);
});

emulatorTest("cuDNN refuses operands that do not fit, or are too short", (session) => {
  const shape = SHAPES[0], convolution = new Convolution(session, shape), bytes = 4 * 2 * 5 * 7 * 4;
  const [x, filter] = [session.allocate(bytes), session.allocate(bytes)];
  const memory = { x, filter, y: session.allocate(bytes - 4) };
  assertThrows(() => convolution.forward(memory), DriverError, "CUDNN_STATUS_BAD_PARAM, ");
  const other = new Convolution(session, { ...shape, input: [5, 7, 2] });
  const { cudnn } = session.libraries, dimension = new Int32Array(1);
  assertThrows(
    () =>
      convolution.check(cudnn.cudnnGetConvolution2dForwardOutputDim(
        ...[convolution.convolution, other.x, convolution.filter] as const,
        ...[dimension, dimension, dimension, dimension] as const,
      )),
    DriverError,
    "filter->sizes[1] * convolution->groups == x->sizes[1]",
  );
});

emulatorTest("cuDNN's second algorithm is deterministic and wants a workspace", (session) => {
  const { cudnn } = session.libraries, convolution = new Convolution(session, SHAPES[0]);
  const { size, offsets } = CUDNN_STRUCTS.cudnnConvolutionBwdFilterAlgoPerf_t;
  const results = new DataView(new ArrayBuffer(size * 4)),
    count = new Int32Array(1),
    bytes = new BigUint64Array(1);
  const { handle, x, y, filter } = convolution;
  convolution.check(cudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    ...[handle, x, y, convolution.convolution, filter, 4, count, results] as const,
  ));
  assertEquals(count[0], 2);
  assertEquals([0, 1].map((index) => results.getInt32(index * size + offsets.determinism, true)), [
    0,
    1,
  ]);
  convolution.check(cudnn.cudnnGetConvolutionBackwardFilterWorkspaceSize(
    ...[handle, x, y, convolution.convolution, filter, 1, bytes] as const,
  ));
  assertEquals(bytes[0], results.getBigUint64(size + offsets.memory, true));
  const operands = [4 * 2 * 5 * 7 * 3, 4 * 3 * 3 * 3 * 4, 4 * 2 * 5 * 7 * 4];
  const [xMemory, filterMemory, yMemory] = operands.map((size) => session.allocate(size));
  const memory = { x: xMemory, filter: filterMemory, y: yMemory };
  const workspace = session.allocate(Number(bytes[0]));
  const run = (workspaceBytes: bigint) =>
    convolution.forward(memory, { algorithm: 1, workspace, workspaceBytes });
  assertThrows(() => run(bytes[0] - 1n), DriverError, "workspace.bytes >= wanted");
  run(bytes[0]);
});

emulatorTest("cuDNN's default math rounds what is read to 10 bits behind the first", (session) => {
  const shape: Shape = { batch: 1, input: [1, 3, 1], channels: 1, kernel: [1, 1] };
  const convolution = new Convolution(session, shape), bit = 2 ** -10;
  const memory = {
    x: session.upload(Float32Array.of(1 + bit, 1 + 0.375 * bit, -1 - 0.625 * bit)),
    filter: session.upload(Float32Array.of(2 + 0.5 * bit)),
    y: session.upload(new Float32Array(3)),
  };
  const run = () => {
    convolution.forward(memory);
    return [...session.download(memory.y, new Float32Array(3))];
  };
  const exact = [1 + bit, 1 + 0.375 * bit, -1 - 0.625 * bit].map((x) => x * (2 + 0.5 * bit));
  assertEquals(run(), exact.map(Math.fround), "FMA");
  convolution.setMath("CUDNN_DEFAULT_MATH");
  assertEquals(run(), [2 + 2 * bit, 2, -2 - 2 * bit]);
});
