/** Tests of dense convolutions through cuDNN, and their gradients, against plain loops. */

import * as tf from "@tensorflow/tfjs-core";
import type { CudnnBackend } from "../../../backends/cudnn/backend.ts";
import type {
  ConvolutionShape,
  DenseConvolution,
} from "../../../backends/cudnn/convolution_shape.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../../assert.ts";
import { Samples } from "../samples.ts";
import { cudnnTest } from "./cudnn_test_case.ts";
import { startEmulated } from "./emulated.ts";

const SHAPES: ConvolutionShape[] = [
  {
    ...{ batch: 2, input: [8, 8, 3], output: [8, 8, 16], kernel: [3, 3] },
    ...{ stride: [1, 1], padding: [1, 1], dilation: [1, 1] },
  },
  {
    ...{ batch: 3, input: [7, 5, 4], output: [4, 3, 5], kernel: [1, 1] },
    ...{ stride: [2, 2], padding: [0, 0], dilation: [1, 1] },
  },
  {
    ...{ batch: 1, input: [9, 9, 2], output: [9, 5, 3], kernel: [1, 7] },
    ...{ stride: [1, 2], padding: [0, 3], dilation: [1, 1] },
  },
  {
    ...{ batch: 2, input: [9, 8, 5], output: [9, 8, 2], kernel: [3, 3] },
    ...{ stride: [1, 1], padding: [2, 2], dilation: [2, 2] },
  },
];

/** What a convolution reads and writes, by name. */
type Values = Record<"x" | "filter" | "y", Float32Array<ArrayBuffer>>;

function sizesOf({ batch, input, output, kernel }: ConvolutionShape): Record<keyof Values, number> {
  const [height, width, inner] = input, [rows, columns, outer] = output;
  return {
    x: batch * height * width * inner,
    filter: outer * kernel[0] * kernel[1] * inner,
    y: batch * rows * columns * outer,
  };
}

/** Visits each product of the convolution: the places in x, in the filter (KRSC) and in y. */
function eachProduct(shape: ConvolutionShape, visit: (x: number, f: number, y: number) => void) {
  const { batch, input, output, kernel, stride, padding, dilation } = shape;
  const [height, width, inner] = input, [rows, columns, outer] = output;
  for (let at = 0; at < batch * rows * columns; at++) {
    const n = Math.floor(at / rows / columns), column = at % columns;
    const row = Math.floor(at / columns) % rows;
    for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
      const h = row * stride[0] + Math.floor(tap / kernel[1]) * dilation[0] - padding[0];
      const w = column * stride[1] + tap % kernel[1] * dilation[1] - padding[1];
      if (h < 0 || h >= height || w < 0 || w >= width) continue;
      for (let k = 0; k < outer; k++) {
        for (let c = 0; c < inner; c++) {
          const filter = (k * kernel[0] * kernel[1] + tap) * inner + c;
          visit(((n * height + h) * width + w) * inner + c, filter, at * outer + k);
        }
      }
    }
  }
}

/** What each kind of convolution writes, from what it reads. */
function naive(shape: ConvolutionShape, { x, filter, y }: Values): Values {
  const sizes = sizesOf(shape);
  const sums = {
    x: new Float64Array(sizes.x),
    filter: new Float64Array(sizes.filter),
    y: new Float64Array(sizes.y),
  };
  eachProduct(shape, (i, f, o) => {
    sums.y[o] += x[i] * filter[f];
    sums.x[i] += y[o] * filter[f];
    sums.filter[f] += x[i] * y[o];
  });
  return {
    x: new Float32Array(sums.x),
    filter: new Float32Array(sums.filter),
    y: new Float32Array(sums.y),
  };
}

/** What cuDNN writes for one kind. */
function run(
  cudnn: CudnnBackend,
  call: ConvolutionShape & Pick<DenseConvolution, "kind">,
  { values, writes }: { values: Values; writes: keyof Values },
): Float32Array {
  const names = ["x", "filter", "y"] as const;
  const tensors = names.map((name) => {
    const info = cudnn.allocate([values[name].length]);
    if (name !== writes) cudnn.upload(values[name], cudnn.address(info));
    return info;
  });
  const [x, filter, y] = tensors.map((info) => cudnn.address(info));
  cudnn.convolution({ ...call, x, filter, y });
  const result = cudnn.readSync(tensors[names.indexOf(writes)].dataId) as Float32Array;
  for (const { dataId } of tensors) cudnn.disposeData(dataId);
  return result;
}

const WRITTEN = { forward: "y", input_gradient: "x", filter_gradient: "filter" } as const;

/** The largest difference of cuDNN's results from those of operands rounded so, over all shapes and kinds. */
function largestError(cudnn: CudnnBackend, round: (value: number) => number): number {
  let largest = 0;
  for (const shape of SHAPES) {
    const samples = new Samples(JSON.stringify(shape)), sizes = sizesOf(shape);
    const random = (size: number) => new Float32Array(samples.uniform([size]).values);
    const values = { x: random(sizes.x), filter: random(sizes.filter), y: random(sizes.y) };
    const { x, filter, y } = values;
    const expected = naive(shape, { x: x.map(round), filter: filter.map(round), y: y.map(round) });
    for (const kind of ["forward", "input_gradient", "filter_gradient"] as const) {
      const writes = WRITTEN[kind];
      run(cudnn, { ...shape, kind }, { values, writes }).forEach((value, at) => {
        largest = Math.max(largest, Math.abs(value - expected[writes][at]));
      });
    }
  }
  return largest;
}

/** The nearest number with 10 bits behind its leading one. */
function toTf32(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = bits[0] + 0x1000 & ~0x1fff;
  return new Float32Array(bits.buffer)[0];
}

cudnnTest("convolution() computes all three kinds", ({ backend, cudnn }) => {
  const error = largestError(cudnn, (value) => value);
  assert(error < 1e-4, `${error}`);
  assertEquals(backend.memory().current, 0, "workspace too");
  assertMatch(backend.description, /, float32 convolutions, /);
});

cudnnTest("convolution() is in TF32 unless float32 is asked for", async ({ backend }) => {
  backend.close();
  const usual = await startEmulated(), cudnn = tf.backend() as unknown as CudnnBackend;
  const error = largestError(cudnn, toTf32), float32 = largestError(cudnn, (value) => value);
  assert(error < 1e-4 && float32 > 1e-3, `${error} from TF32, ${float32} from float32`);
  assertMatch(usual.description, /, TF32 convolutions, /);
  usual.close();
});

cudnnTest("convolution() refuses an output of another size", ({ cudnn }) => {
  const call = { ...SHAPES[0], output: [4, 8, 3] as const, x: 0n, filter: 0n, y: 0n };
  assertThrows(
    () => cudnn.convolution({ ...call, kind: "forward" }),
    RangeError,
    "Cannot run convolution 3 x 3 of [2,8,8,3] to [2,4,8,3] on cudnn: want an output of 8",
  );
});
