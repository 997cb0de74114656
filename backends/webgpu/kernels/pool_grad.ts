/** Gradients of 3x3 pools in WGSL. */

import type { BranchSpec } from "../../ops/branch_spec.ts";
import type { WebGpuBackend } from "../backend.ts";
import { program } from "../program.ts";
import { slicesOf } from "../slices.ts";
import average from "../wgsl/average_pool_grad.wgsl" with { type: "text" };
import choose from "../wgsl/max_pool_choice.wgsl" with { type: "text" };
import maximum from "../wgsl/max_pool_grad.wgsl" with { type: "text" };
import type { Scratch } from "./scratch.ts";

const AVERAGE = program("average pool, backward", average);
const CHOICE = program("max pool, choice", choose);
const MAXIMUM = program("max pool, backward", maximum);

/** dx = the gradient of a pool by x, or added to dx. */
export function poolGrad(
  backend: WebGpuBackend,
  scratch: Scratch,
  { x, g, dx, spec, shape, add }: {
    x: GPUBuffer;
    g: GPUBuffer;
    dx: GPUBuffer;
    spec: BranchSpec;
    /** `[N, H, W, C]` of x. */
    shape: readonly number[];
    add: boolean;
  },
): void {
  const [images, height, width, channels] = shape, [outHeight, outWidth] = spec.output;
  const sizes = {
    height,
    width,
    channels,
    outHeight,
    outWidth,
    stride: spec.stride,
  };
  const [from, to] = [x, dx].map((buffer) => ({ buffer, values: height * width * channels }));
  const incoming = { buffer: g, values: outHeight * outWidth * channels };
  const tensors = [from, incoming, to];
  for (const { length, bind } of slicesOf(backend, { length: images, tensors })) {
    const windows = { images: length, ...sizes }, uniforms = { ...windows, add: Number(add) };
    const invocations = length * height * width * channels;
    if (spec.kind === "avg_pool") {
      backend.run(AVERAGE, { buffers: [bind(incoming), bind(to)], uniforms, invocations });
      continue;
    }
    const outputs = length * incoming.values, choice = scratch.floats(outputs);
    backend.run(CHOICE, { buffers: [bind(from), choice], uniforms: windows, invocations: outputs });
    backend.run(MAXIMUM, { buffers: [choice, bind(incoming), bind(to)], uniforms, invocations });
    scratch.release(choice);
  }
}
