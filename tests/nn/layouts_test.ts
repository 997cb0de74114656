/** Tests of the permutations between PyTorch's layouts and ours. */

import { fromTorch, type Layout, ourShape, toTorch } from "../../nn/layouts.ts";
import { assertEquals } from "../assert.ts";

const counted = (size: number) => Float32Array.from({ length: size }, (_, index) => index);

Deno.test("fromTorch() moves every element of a convolution to [kh, kw, in, out]", () => {
  const [out, input, height, width] = [2, 3, 4, 5], data = counted(120);
  const ours = fromTorch(data, { shape: [out, input, height, width], layout: "convolution" });
  assertEquals(ourShape([out, input, height, width], "convolution"), [4, 5, 3, 2]);
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < input; i++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const got = ours[((y * width + x) * input + i) * out + o];
          assertEquals(got, data[((o * input + i) * height + y) * width + x]);
        }
      }
    }
  }
});

Deno.test("fromTorch() moves a depthwise weight to [k, k, channels, 1] and a linear one to [in, out]", () => {
  assertEquals(ourShape([7, 1, 3, 3], "depthwise"), [3, 3, 7, 1]);
  assertEquals(
    [...fromTorch(counted(8), { shape: [2, 1, 2, 2], layout: "depthwise" })],
    [0, 4, 1, 5, 2, 6, 3, 7],
  );
  assertEquals(
    [...fromTorch(counted(6), { shape: [2, 3], layout: "linear" })],
    [0, 3, 1, 4, 2, 5],
  );
});

Deno.test("toTorch() undoes fromTorch() in every layout", () => {
  const cases: [Layout, number[]][] = [
    ["convolution", [5, 3, 7, 1]],
    ["depthwise", [6, 1, 5, 5]],
    ["linear", [4, 9]],
    ["plain", [2, 11]],
    ["plain", []],
  ];
  for (const [layout, shape] of cases) {
    const data = counted(shape.reduce((size, n) => size * n, 1));
    assertEquals(toTorch(fromTorch(data, { shape, layout }), { shape, layout }), data);
  }
});
