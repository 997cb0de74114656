/**
 * Tests of tensors that are bound in slices: where slices begin, tfjs's own kernels on them, and a tensor
 * that is larger than the bindings that every device has. The op suites' device "webgpu, small bindings"
 * splits all other kernels.
 */

import * as tf from "@tensorflow/tfjs-core";
import { branches } from "../../../backends/ops/branches.ts";
import { globalAveragePool } from "../../../backends/ops/global_average_pool.ts";
import { normalisedSum } from "../../../backends/ops/normalised_sum.ts";
import type { WebGpuBackend } from "../../../backends/webgpu/backend.ts";
import { type Rows, slicesOf } from "../../../backends/webgpu/slices.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { SMALL_BINDINGS, SMALLEST_LIMITS } from "../devices.ts";
import { Samples } from "../samples.ts";
import { webgpuTest } from "./webgpu_test_case.ts";

/** A buffer for so many indices. */
function rows(
  backend: WebGpuBackend,
  { length, values }: { length: number; values: number },
): Rows {
  return { buffer: backend.takeScratch(4 * length * values), values };
}

webgpuTest("slicesOf() binds whole buffers that fit", ({ webgpu }) => {
  const tensor = rows(webgpu, { length: 4, values: 4096 });
  const slices = slicesOf(webgpu, { length: 4, tensors: [tensor] });
  assertEquals(slices.map(({ first, length }) => [first, length]), [[0, 4]]);
  assert(slices[0].bind(tensor) === tensor.buffer);
}, SMALL_BINDINGS);

webgpuTest("slicesOf() begins slices where every tensor's offset is aligned", ({ webgpu }) => {
  // 10000 bytes an index are 16 times 625, 32 bytes an eighth of the alignment.
  const tensors = [2500, 8].map((values) => rows(webgpu, { length: 37, values }));
  assertThrows(() => slicesOf(webgpu, { length: 37, tensors }), Error, "160000 bytes");
  webgpu.limits.maxStorageBufferBindingSize = 170000;
  const slices = slicesOf(webgpu, { length: 37, tensors });
  assertEquals(slices.map(({ first, length }) => [first, length]), [[0, 16], [16, 16], [32, 5]]);
  const [{ buffer: large }, { buffer: small }] = tensors;
  assertEquals(slices[2].bind(tensors[0]), { buffer: large, offset: 320000, size: 50000 });
  assertEquals(slices[2].bind(tensors[1]), { buffer: small, offset: 1024, size: 160 });
}, SMALL_BINDINGS);

webgpuTest(
  "slicesOf() counts halves as two bytes, and ends bindings of them at four",
  ({ webgpu }) => {
    const floats = rows(webgpu, { length: 257, values: 147 });
    const halves: Rows = { ...floats, form: "halves" };
    assertEquals(slicesOf(webgpu, { length: 257, tensors: [halves] }).length, 1);
    const slices = slicesOf(webgpu, { length: 257, tensors: [floats, halves] });
    assertEquals(slices.map(({ first, length }) => [first, length]), [[0, 128], [128, 128], [
      256,
      1,
    ]]);
    const { buffer } = floats;
    assertEquals(slices[2].bind(floats), { buffer, offset: 150528, size: 588 });
    assertEquals(slices[2].bind(halves), { buffer, offset: 75264, size: 296 });
  },
  { ...SMALL_BINDINGS, maxStorageBufferBindingSize: 80000 },
);

webgpuTest("slicesOf() begins slices at multiples of what is asked", ({ webgpu }) => {
  const tensors = [rows(webgpu, { length: 1000, values: 64 })];
  const firsts = slicesOf(webgpu, { length: 1000, tensors, multiple: 100 }).map(({ first }) =>
    first
  );
  assertEquals(firsts, [0, 200, 400, 600, 800]);
}, SMALL_BINDINGS);

webgpuTest("tf.concat(), split() and add() take tensors of many slices", async ({ backend }) => {
  const samples = new Samples("slices"), { current } = backend.memory(), sizes = [3, 5, 8];
  const values = sizes.map((size) => Float32Array.from(samples.uniform([9, 31, 33, size]).values));
  const parts = sizes.map((size, index) => tf.tensor(values[index], [9, 31, 33, size]));
  const whole = tf.concat(parts, 3), pieces = tf.split(whole, sizes, 3);
  const sums = [tf.add(pieces[1], pieces[1]), tf.addN([pieces[2], pieces[2], pieces[2]])];
  const expected = Array.from(
    { length: 9 * 31 * 33 },
    (_, pixel) =>
      sizes.flatMap((size, index) => [...values[index].subarray(pixel * size, (pixel + 1) * size)]),
  );
  assertEquals(await whole.data(), Float32Array.from(expected.flat()), "concat");
  for (const [index, piece] of pieces.entries()) {
    assertEquals(await piece.data(), values[index], `piece ${index}`);
  }
  assertEquals(await sums[0].data(), values[1].map((value) => value + value), "add");
  assertEquals(await sums[1].data(), values[2].map((value) => value + value + value), "addN");
  tf.dispose([parts, whole, pieces, sums]);
  assertEquals(backend.memory().current, current, "bytes");
}, SMALL_BINDINGS);

/** Gradients by x and the filters of a pool and a separable unit of x, their sum and its mean. */
function nodeGradients(inputs: tf.Tensor[], cotangent: tf.Tensor): tf.Tensor[] {
  return tf.grads((...[x, depthwise, pointwise]) => {
    const [pool, unit] = branches(x as tf.Tensor4D, [
      { kind: "max_pool", stride: 1 },
      {
        kind: "separable",
        depthwise: depthwise as tf.Tensor4D,
        pointwise: pointwise as tf.Tensor4D,
        stride: 1,
        dilation: 1,
      },
    ], { activation: "relu" });
    return tf.sum(tf.mul(
      globalAveragePool(normalisedSum([pool, unit].map(
        ({ y, affine }) => ({ x: y, affine }),
      ))),
      cotangent,
    ));
  })(inputs);
}

/** Largest difference between values and those expected, which repeat, relative to the largest of those. */
function error(values: ArrayLike<number>, expected: ArrayLike<number>, scale = 1): number {
  let worst = 0, largest = 0;
  for (let index = 0; index < values.length; index++) {
    const want = scale * expected[index % expected.length];
    worst = Math.max(worst, Math.abs(values[index] - want));
    largest = Math.max(largest, Math.abs(want));
  }
  return worst / largest;
}

webgpuTest("tensors of 130 MiB get the gradients of the images that they repeat", async () => {
  const samples = new Samples("large"), channels = 16, few = 8, repeats = 260;
  const values = (shape: number[]) => Float32Array.from(samples.uniform(shape).values);
  const images = values([few, 32, 32, channels]), cotangents = values([few, channels]);
  const filters = [[3, 3, channels, 1], [1, 1, channels, channels]]
    .map((shape) => tf.tensor(values(shape), shape));
  const gradients = async (times: number) => {
    const repeated = (once: Float32Array) => {
      const all = new Float32Array(times * once.length);
      for (let time = 0; time < times; time++) all.set(once, time * once.length);
      return all;
    };
    const x = tf.tensor(repeated(images), [times * few, 32, 32, channels]);
    const cotangent = tf.tensor(repeated(cotangents), [times * few, channels]);
    const tensors = nodeGradients([x, ...filters], cotangent);
    const results = await Promise.all(tensors.map((tensor) => tensor.data()));
    tf.dispose([x, cotangent, tensors]);
    return results;
  };
  const [dx, ...dFilters] = await gradients(repeats), [expected, ...ofFew] = await gradients(1);
  assert(dx.byteLength > SMALLEST_LIMITS.maxStorageBufferBindingSize, `${dx.byteLength} bytes`);
  assertEquals(dx.length, repeats * expected.length);
  const errors = [
    error(dx, expected),
    ...dFilters.map((values, index) => error(values, ofFew[index], repeats)),
  ];
  // Sums of two million float32 values: those of 125 MiB in one slice are off by 3e-4 too.
  assert(errors.every((one) => one <= 1e-3), errors.join(" "));
  tf.dispose(filters);
}, SMALLEST_LIMITS);
